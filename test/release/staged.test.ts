import { beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { generateKeyPairSync } from "node:crypto";
import { chmod, cp, mkdtemp, readFile, rename, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { judgeTrust } from "../../pipeline/src/decide/trust.ts";
import { seeAttestation, writeAttestation } from "../../pipeline/src/release/attestation.ts";
import { digestFile } from "../../pipeline/src/release/digest.ts";
import { writeSignature } from "../../pipeline/src/release/oms/sign.ts";
import { readRecord, writeRecord } from "../../pipeline/src/release/record.ts";
import { proveStaged, stageRelease } from "../../pipeline/src/release/stage.ts";
import { canonical, stateRelease } from "../../pipeline/src/release/statement.ts";
import { readSigners, seeModelSignature } from "../../pipeline/src/release/trust.ts";
import { listFolder } from "../../pipeline/src/release/walk.ts";
import { DeployError } from "../../pipeline/src/spec/error.ts";
import { type Signed, TrustPolicy } from "../../pipeline/src/spec/trust.ts";
import { verify } from "../../pipeline/src/stage/verify.ts";
import { aModelCopy } from "./model-copy.ts";
import { policiesOf } from "./policies-of.ts";

setDefaultTimeout(120_000); // processes, files and key pairs: slow on a machine that is busy

const root = fileURLToPath(new URL("../..", import.meta.url));
const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const policy = TrustPolicy.parse({
  schema: "sluice/trust/v1",
  keys: { release: { publicKey: publicKey.export({ type: "spki", format: "pem" }) } },
  environments: { production: { unsigned: "refuse", models: ["release"], releases: ["release"] } },
});
const trusted = readSigners(policy, "trust.yaml");
const now = Date.parse("2026-06-02T00:00:00Z");
let releasesDir: string;
let id: string;
let paths: string[];

beforeAll(async () => {
  releasesDir = await mkdtemp(join(tmpdir(), "sluice-staged-"));
  const modelDir = await aModelCopy();
  await writeSignature(modelDir, { key: privateKey });
  const parts = {
    modelDir,
    serviceDir: join(root, "service"),
    modules: join(root, "node_modules"),
    policies: await policiesOf(root),
  };
  const release = await stageRelease(releasesDir, parts);
  id = release.id;
  const reports = [(await verify(modelDir)).report];
  const record = {
    schema: "sluice/release/v1",
    release,
    environment: "production",
    admittedAt: "2026-06-01T00:00:00Z",
    reports,
  } as const;
  await writeRecord(releasesDir, record);
  await writeAttestation(join(releasesDir, id, "attestation.json"), stateRelease(record, { by: "tester", tools: {} }), [
    privateKey,
  ]);
  paths = (await listFolder(join(releasesDir, id))).files.map(({ path }) => path);
});

/** Why the release in `dir` is refused; undefined when it is taken. */
async function refusal(dir: string): Promise<string | undefined> {
  try {
    const record = await readRecord(dir, id);
    await proveStaged(dir, record.release);
    const { name, version } = record.release.model;
    const signature = await seeModelSignature(join(dir, id, "model"), trusted, now);
    const model: Signed = { kind: "model", name, version, signature };
    const release = await seeAttestation(join(dir, id, "attestation.json"), record, trusted);
    const verdicts = [model, release].map((signed) => judgeTrust(signed, policy, "production", now).verdict);
    return verdicts.flatMap((verdict) => (verdict.kind === "fail" ? verdict.breaches : [])).join() || undefined;
  } catch (error) {
    if (error instanceof DeployError) return error.message;
    throw error;
  }
}

const ways = ["flip", "truncate", "extend", "swell", "rename", "add", "remove"] as const;
const change = fc.record({
  file: fc.nat(1_000),
  how: fc.constantFrom(...ways),
  at: fc.nat(10_000_000),
  mask: fc.integer({ min: 1, max: 255 }),
});
type Change = { name: string; how: (typeof ways)[number]; at: number; mask: number };

/** Changes one file of a copy of the release, and expects that the copy is refused and the file named. */
async function expectRefused({ name, how, at, mask }: Change): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), "sluice-changed-"));
  await cp(join(releasesDir, id), join(dir, id), { recursive: true });
  const path = join(dir, id, name);
  await chmod(path, 0o644);
  await spoil(path, how, at, mask);
  const words = await refusal(dir);
  const isSpace = words === undefined && spaced.includes(name) && how !== "add" && (await saysTheSame(dir, name));
  // A manifest that lists another digest, and a file that has another: only both together can be named.
  const named = basename(name).replace("manifest.json", "manifest");
  if (!isSpace) expect({ name, how, at, words }).toEqual({ name, how, at, words: expect.stringContaining(named) });
  await rm(dir, { recursive: true });
}

test("a staged, signed release is taken as it is", async () => {
  expect(await refusal(releasesDir)).toBeUndefined();
  expect(paths).toContain("model/model.sig");
  expect(paths).toContain("policies/slo.yaml");
});

test("a staged, signed release is refused after each way of changing each of its files, and the file named", async () => {
  for (const name of paths) for (const how of ways) await expectRefused({ name, how, at: 77, mask: 1 });
});

test("a staged, signed release is refused after any one change of any file, and the file named", async () => {
  await fc.assert(
    fc.asyncProperty(change, ({ file, ...rest }) => expectRefused({ name: paths[file % paths.length] ?? "", ...rest })),
    { numRuns: 150 },
  );
});

/** A copy of the release, changed by somebody who knows how it is made. */
async function refusalAfter(change: (place: string) => Promise<void>): Promise<string | undefined> {
  const dir = await mkdtemp(join(tmpdir(), "sluice-forged-"));
  await cp(join(releasesDir, id), join(dir, id), { recursive: true });
  await change(join(dir, id));
  const words = await refusal(dir);
  await rm(dir, { recursive: true });
  return words;
}

test("a staged release is refused when its list of files was changed along with a file", async () => {
  const words = await refusalAfter(async (place) => {
    const path = join(place, "bundle/main.js");
    await writeFile(path, "process.exit()");
    const { size, digest } = await digestFile(path);
    const lists = JSON.parse(await readFile(join(place, "files.json"), "utf8"));
    Object.assign(
      lists.bundle.find((file: { path: string }) => file.path === "main.js"),
      { size, digest },
    );
    await writeFile(join(place, "files.json"), JSON.stringify(lists));
  });
  expect(words).toContain("files.json: its bundle give sha256:");
});

test("a staged release is refused when its release.json names another digest", async () => {
  const words = await refusalAfter(async (place) => {
    const release = JSON.parse(await readFile(join(place, "release.json"), "utf8"));
    release.code.digest = release.model.digest;
    await writeFile(join(place, "release.json"), JSON.stringify(release));
  });
  expect(words).toContain("release.json says");
});

/** Files of JSON that no digest is over: their spaces are nobody's concern. */
const spaced = ["attestation.json", "record.json", "release.json", "files.json", "model/model.sig"];

async function saysTheSame(dir: string, name: string): Promise<boolean> {
  const text = async (home: string) => canonical(JSON.parse(await readFile(join(home, id, name), "utf8")));
  return (await text(dir)) === (await text(releasesDir));
}

async function spoil(path: string, how: string, at: number, mask: number): Promise<void> {
  const bytes = await readFile(path);
  const place = at % bytes.length;
  if (how === "rename") await rename(path, `${path}.old`);
  else if (how === "remove") await rm(path);
  else if (how === "add") await writeFile(`${path}.new`, "");
  else if (how === "swell")
    await truncate(path, 10 * 2 ** 30); // sparse: 10 GiB that take no room on the disk
  else if (how === "truncate") await writeFile(path, bytes.subarray(0, place));
  else if (how === "extend") await writeFile(path, Buffer.concat([bytes, Buffer.from([mask])]));
  else {
    bytes.writeUInt8(bytes.readUInt8(place) ^ mask, place);
    await writeFile(path, bytes);
  }
}
