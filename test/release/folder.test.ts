import { expect, setDefaultTimeout, test } from "bun:test";
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { mkdir, open, readFile, rename, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { digestBytes, digestList } from "../../pipeline/src/release/digest.ts";
import { inspectFolder, readListed, verifyFolder } from "../../pipeline/src/release/folder.ts";
import { DeployError } from "../../pipeline/src/spec/error.ts";
import type { Manifest } from "../../pipeline/src/spec/manifest.ts";
import { aFolder, aManifest } from "./folder-fixture.ts";
import { refusalOf } from "./refusal.ts";

setDefaultTimeout(120_000); // processes, files and key pairs: slow on a machine that is busy

function refusal(dir: string): Promise<DeployError> {
  return refusalOf(verifyFolder(dir));
}

test("verifyFolder() returns the manifest and one digest over its files and itself", async () => {
  const dir = await aFolder();
  const bytes = await readFile(join(dir, "manifest.json"));
  const itself = { path: "manifest.json", size: bytes.length, digest: digestBytes(bytes) };
  const folder = await verifyFolder(dir);
  expect(folder.manifest).toEqual(aManifest());
  expect(folder.files).toEqual(aManifest().files);
  expect(folder.digest).toBe(digestList([...aManifest().files, itself]));
});

test("verifyFolder() lets a signature be there", async () => {
  const dir = await aFolder();
  const { digest } = await verifyFolder(dir);
  await writeFile(join(dir, "model.sig"), "{}");
  expect((await verifyFolder(dir)).digest).toBe(digest);
});

test("verifyFolder() names the changed file and both digests", async () => {
  const dir = await aFolder();
  const before = await readFile(join(dir, "model.onnx"));
  const after = Buffer.from(before);
  after.writeUInt8(after.readUInt8(3) ^ 1, 3);
  await writeFile(join(dir, "model.onnx"), after);
  const error = await refusal(dir);
  expect(error.code).toBe("E_DIGEST");
  expect(error.message).toContain(`model.onnx: digest is ${digestBytes(after)}, manifest says ${digestBytes(before)}`);
});

test("verifyFolder() refuses any one change of any file, and names it", async () => {
  const paths = ["model.onnx", "transformer.ts", "golden.json"] as const;
  const change = fc.record({
    path: fc.constantFrom(...paths),
    how: fc.constantFrom("flip", "truncate", "extend", "rename", "remove", "add"),
    at: fc.nat(10_000),
    bit: fc.integer({ min: 0, max: 7 }),
  });
  await fc.assert(
    fc.asyncProperty(change, async ({ path, how, at, bit }) => {
      const dir = await aFolder();
      const file = join(dir, path);
      const bytes = await readFile(file);
      const place = at % bytes.length;
      if (how === "flip") bytes.writeUInt8(bytes.readUInt8(place) ^ (1 << bit), place);
      if (how === "flip") await writeFile(file, bytes);
      if (how === "truncate") await truncate(file, place);
      if (how === "extend") await writeFile(file, Buffer.concat([bytes, Buffer.from([at % 256])]));
      if (how === "rename") await rename(file, `${file}.old`);
      if (how === "remove") await rm(file);
      if (how === "add") await writeFile(`${file}.new`, "");
      const error = await refusal(dir);
      expect(error.code).toBe("E_DIGEST");
      expect(error.message).toContain(how === "rename" ? `${path}.old` : path);
      await rm(dir, { recursive: true });
    }),
    { numRuns: 60 },
  );
});

test("verifyFolder() refuses any one change of the manifest's bytes or gives another digest", async () => {
  const dir = await aFolder();
  const path = join(dir, "manifest.json");
  const approved = (await verifyFolder(dir)).digest;
  const original = await readFile(path);
  await fc.assert(
    fc.asyncProperty(fc.nat(original.length - 1), fc.integer({ min: 1, max: 255 }), async (place, mask) => {
      const bytes = Buffer.from(original);
      bytes.writeUInt8(bytes.readUInt8(place) ^ mask, place);
      await writeFile(path, bytes);
      const outcome = await verifyFolder(dir).catch((error: unknown) => error);
      if (outcome instanceof DeployError) expect(["E_FILE", "E_DIGEST"]).toContain(outcome.code);
      else expect(outcome).toMatchObject({ digest: expect.not.stringContaining(approved) });
    }),
    { numRuns: 200 },
  );
});

test.each([
  ["a symbolic link", (dir: string) => symlink("model.onnx", join(dir, "link")), "link is a symbolic link"],
  ["a symbolic link in a file's place", swapForLink, "transformer.ts is a symbolic link"],
  ["a pipe", async (dir: string) => void execFileSync("mkfifo", [join(dir, "pipe")]), "pipe is a special file"],
  ["twins by case", (dir: string) => writeFile(join(dir, "Model.onnx"), ""), "model.onnx and Model.onnx are one name"],
  ["a name in Unicode form NFD", (dir: string) => writeFile(join(dir, "e\u0301.txt"), ""), "form NFC"],
  ["a name that is not UTF-8", rawName, "not UTF-8"],
  ["an extra file in a folder", extraFile, "data/extra.txt: file is extra"],
  ["a 10 GiB sparse file", sparse, "more than 8589934592 bytes, huge.bin alone has 10737418240"],
] satisfies [string, (dir: string) => Promise<void>, string][])(
  "verifyFolder() refuses %s",
  async (_, spoil, words) => {
    const dir = await aFolder();
    await spoil(dir);
    const error = await refusal(dir);
    expect(error.code).toBe("E_DIGEST");
    expect(error.message).toContain(words);
  },
);

test.each([
  ["lists ../x", { files: [...aManifest().files, aListed("../x")] }, "relative path"],
  ["lists an absolute path", { files: [...aManifest().files, aListed("/etc/passwd")] }, "relative path"],
  ["lists a file twice", { files: [...aManifest().files, aListed("model.onnx")] }, "lists model.onnx twice"],
  ["lists itself", { files: [...aManifest().files, aListed("manifest.json")] }, "lists manifest.json"],
  ["names a model that it does not list", { model: "other.onnx" }, "model is other.onnx"],
  ["has no tolerance for an output", { tolerance: { ...aManifest().tolerance, outputs: {} } }, "output y"],
])("verifyFolder() refuses a manifest that %s", async (_, change: Partial<Manifest>, words) => {
  const error = await refusal(await aFolder(change));
  expect(error.code).toBe("E_FILE");
  expect(error.message).toContain("manifest.json");
  expect(error.message).toContain(words);
});

test("verifyFolder() refuses a folder without a manifest, and no folder", async () => {
  const dir = await aFolder();
  await rm(join(dir, "manifest.json"));
  expect((await refusal(dir)).message).toContain("manifest.json: file does not exist");
  expect((await refusal(join(dir, "none"))).message).toContain("folder does not exist");
  expect((await refusal(join(dir, "model.onnx"))).message).toContain("it is no folder");
});

test("inspectFolder() stops at its limit of files", async () => {
  const dir = await aFolder();
  await mkdir(join(dir, "many"));
  for (let i = 0; i < 100; i++) await writeFile(join(dir, "many", `${i}`), "");
  const { differences } = await inspectFolder(dir, { limits: { files: 50, bytes: 1e9, depth: 4 } });
  expect(differences).toContain("folder has more than 50 files");
});

test("verifyFolder() refuses 100,000 tiny files, after as many as a model may have", async () => {
  const dir = await aFolder();
  await mkdir(join(dir, "many"));
  for (let i = 0; i < 100_000; i++) writeFileSync(join(dir, "many", `${i}`), "");
  const { message } = await refusal(dir);
  expect(message).toContain("folder has more than 10000 files");
  await rm(dir, { recursive: true });
});

test("verifyFolder() refuses a manifest that lists 100,000 files", async () => {
  const files = Array.from({ length: 100_000 }, (_, i) => aListed(`${i}`));
  const { code, message } = await refusal(await aFolder({ files: [...aManifest().files, ...files] }));
  expect([code, message]).toEqual(["E_FILE", expect.stringContaining("expected array to have <=10000 items at files")]);
});

test("readListed() refuses a file too large to be read whole", async () => {
  const dir = await aFolder();
  const file = aListed("model.onnx");
  await truncate(join(dir, file.path), 5 * 2 ** 30);
  expect((await refusalOf(readListed(dir, file))).message).toContain("it has 5368709120 bytes, more than");
});

test("readListed() returns only the listed bytes", async () => {
  const dir = await aFolder();
  const file = aManifest().files[0] ?? aListed("model.onnx");
  expect(digestBytes(await readListed(dir, file))).toBe(file.digest);
  await writeFile(join(dir, file.path), "other");
  expect((await refusalOf(readListed(dir, file))).message).toContain(
    `digest is ${digestBytes("other")}, manifest says ${file.digest}`,
  );
});

function aListed(path: string): Manifest["files"][number] {
  return { path, size: 0, digest: digestBytes("") };
}

async function swapForLink(dir: string): Promise<void> {
  await rename(join(dir, "transformer.ts"), `${dir}.moved`);
  await symlink(`${dir}.moved`, join(dir, "transformer.ts"));
}

async function rawName(dir: string): Promise<void> {
  await writeFile(Buffer.concat([Buffer.from(`${dir}/`), Buffer.from([0x66, 0xff])]), "");
}

async function extraFile(dir: string): Promise<void> {
  await mkdir(join(dir, "data"));
  await writeFile(join(dir, "data", "extra.txt"), "");
}

async function sparse(dir: string): Promise<void> {
  const file = await open(join(dir, "huge.bin"), "w");
  await file.truncate(10 * 2 ** 30);
  await file.close();
}
