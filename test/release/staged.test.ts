import { beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { generateKeyPairSync } from "node:crypto";
import { chmod, cp, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { judgeTrust } from "../../pipeline/src/decide/trust.ts";
import { seeAttestation, writeAttestation } from "../../pipeline/src/release/attestation.ts";
import { digestBytes } from "../../pipeline/src/release/digest.ts";
import { readRecord, writeRecord } from "../../pipeline/src/release/record.ts";
import { proveStaged, readRelease, stageRelease } from "../../pipeline/src/release/stage.ts";
import { canonical, stateRelease } from "../../pipeline/src/release/statement.ts";
import { readSigners } from "../../pipeline/src/release/trust.ts";
import { listFolder } from "../../pipeline/src/release/walk.ts";
import { DeployError } from "../../pipeline/src/spec/error.ts";
import { TrustPolicy } from "../../pipeline/src/spec/trust.ts";
import { verify } from "../../pipeline/src/stage/verify.ts";
import { aModelCopy } from "./model-copy.ts";

setDefaultTimeout(120_000); // processes, files and key pairs: slow on a machine that is busy

const root = fileURLToPath(new URL("../..", import.meta.url));
const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const policy = TrustPolicy.parse({
  schema: "sluice/trust/v1",
  keys: { release: { publicKey: publicKey.export({ type: "spki", format: "pem" }) } },
  environments: { production: { unsigned: "refuse", models: [], releases: ["release"] } },
});
const trusted = readSigners(policy, "trust.yaml");
let releasesDir: string;
let id: string;
let paths: string[];

beforeAll(async () => {
  releasesDir = await mkdtemp(join(tmpdir(), "sluice-staged-"));
  const modelDir = await aModelCopy();
  const parts = {
    modelDir,
    serviceDir: join(root, "service"),
    modules: join(root, "node_modules"),
    policyDigest: digestBytes("p"),
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
    const signed = await seeAttestation(join(dir, id, "attestation.json"), record, trusted);
    const { verdict } = judgeTrust(signed, policy, "production", Date.parse("2026-06-02T00:00:00Z"));
    return verdict.kind === "fail" ? verdict.breaches.join() : undefined;
  } catch (error) {
    if (error instanceof DeployError) return error.message;
    throw error;
  }
}

const change = fc.record({
  file: fc.nat(1_000),
  how: fc.constantFrom("flip", "truncate", "extend", "rename", "add", "remove"),
  at: fc.nat(10_000_000),
  mask: fc.integer({ min: 1, max: 255 }),
});

test("a staged, signed release is taken as it is, and refused after any one change of any file", async () => {
  expect(await refusal(releasesDir)).toBeUndefined();
  await fc.assert(
    fc.asyncProperty(change, async ({ file, how, at, mask }) => {
      const dir = await mkdtemp(join(tmpdir(), "sluice-changed-"));
      await cp(join(releasesDir, id), join(dir, id), { recursive: true });
      const name = paths[file % paths.length] ?? "";
      const path = join(dir, id, name);
      await chmod(path, 0o644);
      await spoil(path, how, at, mask);
      const words = await refusal(dir);
      const isHarmless = how === "add" && !/^(?:model|bundle)/.test(dirname(name));
      const isSpace = !name.includes("/") && words === undefined && (await saysTheSame(dir));
      if (!isHarmless && !isSpace)
        expect({ name, how, words }).toEqual({ name, how, words: expect.stringMatching(/\w/) });
      if (name.startsWith("model/") && name !== "model/manifest.json")
        expect(words).toContain(name.slice("model/".length));
      await rm(dir, { recursive: true });
    }),
    { numRuns: 150 },
  );
});

/** Whether the JSON files beside model and bundle still say what they said: their spaces are nobody's concern. */
async function saysTheSame(dir: string): Promise<boolean> {
  const attestation = async (home: string) => JSON.parse(await readFile(join(home, id, "attestation.json"), "utf8"));
  const read = async (home: string) =>
    canonical([await readRecord(home, id), await readRelease(home, id), await attestation(home)]);
  return (await read(dir)) === (await read(releasesDir));
}

async function spoil(path: string, how: string, at: number, mask: number): Promise<void> {
  const bytes = await readFile(path);
  const place = at % bytes.length;
  if (how === "rename") await rename(path, `${path}.old`);
  else if (how === "remove") await rm(path);
  else if (how === "add") await writeFile(`${path}.new`, "");
  else if (how === "truncate") await writeFile(path, bytes.subarray(0, place));
  else if (how === "extend") await writeFile(path, Buffer.concat([bytes, Buffer.from([mask])]));
  else {
    bytes.writeUInt8(bytes.readUInt8(place) ^ mask, place);
    await writeFile(path, bytes);
  }
}
