import { expect, setDefaultTimeout, test } from "bun:test";
import { execFileSync } from "node:child_process";
import { appendFileSync, truncateSync, writeFileSync } from "node:fs";
import { mkdtemp, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { digestBytes, digestFile, digestFiles, digestList } from "../../pipeline/src/release/digest.ts";
import { digestInThreads } from "../../pipeline/src/release/digest-threads.ts";
import { readSteadily, readWhole } from "../../pipeline/src/release/steady.ts";
import { refusalOf } from "./refusal.ts";

setDefaultTimeout(120_000); // processes, files and key pairs: slow on a machine that is busy

const empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

async function aFile(bytes: Uint8Array | string): Promise<string> {
  const path = join(await mkdtemp(join(tmpdir(), "sluice-digest-")), "file");
  await writeFile(path, bytes);
  return path;
}

test.each([0, 1, 2 ** 20 - 1, 2 ** 20, 2 ** 20 + 1, 5 * 2 ** 20])(
  "digestFile() equals digestBytes() at %d bytes",
  async (size) => {
    const bytes = crypto.getRandomValues(Buffer.alloc(Math.min(size, 65_536)));
    const whole = Buffer.alloc(size, bytes);
    expect(await digestFile(await aFile(whole))).toEqual({ digest: digestBytes(whole), size });
  },
);

test("digestFile() knows the digest of nothing", async () => {
  expect(await digestFile(await aFile(""))).toEqual({ digest: empty, size: 0 });
});

test.each([
  ["digestFiles", digestFiles],
  ["digestInThreads", digestInThreads],
])("%s() keeps the order of the paths, and fails on the first bad one", async (_, digest) => {
  const texts = ["b", "a", "", "c".repeat(3_000_000), "b"];
  const paths = await Promise.all(texts.map((text) => aFile(text)));
  expect(await digest(paths)).toEqual(texts.map((text) => ({ digest: digestBytes(text), size: text.length })));
  expect((await refusalOf(digest([...paths, "/no/such/file"]))).message).toContain(
    "/no/such/file: file does not exist",
  );
  expect(await digest([])).toEqual([]);
});

test("digestFile() refuses what is no regular file", async () => {
  const path = await aFile("x");
  await symlink(path, `${path}.link`);
  execFileSync("mkfifo", [`${path}.pipe`]);
  expect((await refusalOf(digestFile(`${path}.link`))).message).toContain("symbolic link");
  expect((await refusalOf(digestFile(`${path}.pipe`))).message).toContain("no regular file");
  expect((await refusalOf(digestFile(join(path, "..")))).message).toContain("no regular file");
  expect((await refusalOf(digestFile(`${path}.none`))).message).toContain("does not exist");
});

test.each([
  ["grows", (path: string) => appendFileSync(path, "more")],
  ["shrinks", (path: string) => truncateSync(path, 10)],
  ["is written over", (path: string) => writeFileSync(path, Buffer.alloc(3 * 2 ** 20, "b"))],
] as const)("readSteadily() refuses a file that %s while it is read", async (_, change) => {
  const path = await aFile(Buffer.alloc(3 * 2 ** 20, "a"));
  await utimes(path, 1, 1); // the kernel's clock for files is coarse: a change within its tick would go unseen
  let isFirst = true;
  const reading = readSteadily(path, () => {
    if (isFirst) change(path);
    isFirst = false;
  });
  expect((await refusalOf(reading)).message).toContain("changed while it was read");
});

test("readSteadily() gives other work its turn", async () => {
  const path = await aFile(Buffer.alloc(40 * 2 ** 20));
  let turns = 0;
  const timer = setInterval(() => turns++, 0);
  await readSteadily(path, () => {});
  clearInterval(timer);
  expect(turns).toBeGreaterThan(0);
});

test("readWhole() refuses more than the limit", async () => {
  const path = await aFile("0123456789");
  expect(new TextDecoder().decode(await readWhole(path, 10))).toBe("0123456789");
  expect((await refusalOf(readWhole(path, 9))).message).toContain("more than 9 bytes");
});

test("digestList() depends on paths, sizes and digests, not on their order", () => {
  const a = { path: "a", size: 0, digest: empty };
  const b = { path: "b", size: 0, digest: empty };
  const digest = digestList([a, b]);
  expect(digestList([b, a])).toBe(digest);
  expect(digestList([a])).not.toBe(digest);
  expect(digestList([a, { ...b, path: "c" }])).not.toBe(digest);
  expect(digestList([a, { ...b, size: 1 }])).not.toBe(digest);
  expect(digestList([a, { ...b, digest: digestBytes("b") }])).not.toBe(digest);
  expect(digestList([a])).toBe(digestBytes(`["a",0,"${empty}"]\n`));
});
