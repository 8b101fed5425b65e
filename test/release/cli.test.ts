import { beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { digestBytes } from "../../pipeline/src/release/digest.ts";
import { writeRecord } from "../../pipeline/src/release/record.ts";
import { stageRelease } from "../../pipeline/src/release/stage.ts";
import { verify } from "../../pipeline/src/stage/verify.ts";
import { edit } from "./model-copy.ts";
import { policiesOf } from "./policies-of.ts";

setDefaultTimeout(120_000); // processes, files and key pairs: slow on a machine that is busy

const root = fileURLToPath(new URL("../..", import.meta.url));
const fixture = join(root, "test/fixtures/models/tabular/1.0.0");
let source: string;

beforeAll(async () => {
  source = await mkdtemp(join(tmpdir(), "sluice-cli-"));
  await cp(join(root, "policies"), join(source, "policies"), { recursive: true });
  await mkdir(join(source, "models"));
});

function sluice(...args: string[]): { exit: number | null; out: string; err: string } {
  const program = join(root, "test/release/sluice.ts");
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args, "--source", source], {
    encoding: "utf8",
  });
  return { exit: status, out: stdout.replaceAll(/\s+/g, " "), err: stderr }; // as if no line was wrapped
}

async function aPlainFolder(): Promise<string> {
  const dir = join(await mkdtemp(join(tmpdir(), "sluice-plain-")), "tabular");
  await cp(fixture, dir, { recursive: true });
  await rm(join(dir, "manifest.json"));
  return dir;
}

test("models add, verify, lock and diff, from a folder to two versions", async () => {
  const folder = await aPlainFolder();
  const missing = sluice("models", "add", "tabular@1.0.0", folder);
  expect(missing).toMatchObject({ exit: 2, err: expect.stringContaining("a new manifest needs --description") });
  expect(await stat(join(source, "models/tabular/1.0.0")).catch(() => undefined)).toBeUndefined();
  const wish = ["--description", "tissue samples", "--license", "Apache-2.0"];
  expect(sluice("models", "add", "tabular@1.0.0", folder, ...wish).exit).toBe(0);
  expect(sluice("models", "add", "tabular@1.0.0", folder, ...wish)).toMatchObject({
    exit: 2,
    err: expect.stringContaining("exists"),
  });
  expect(sluice("models", "verify")).toMatchObject({
    exit: 0,
    out: expect.stringContaining("local accepts unsigned models"),
  });

  await edit(folder, "golden.json", '"name": "malignant, quantile 0.1"', '"name": "renamed"');
  await edit(folder, "golden.json", '"label": "malignant"', '"label": "benign"');
  expect(sluice("models", "add", "tabular@1.1.0", folder, ...wish).exit).toBe(0);
  expect(sluice("models", "verify", "tabular@1.1.0")).toMatchObject({
    exit: 3,
    out: expect.stringContaining("golden case renamed: label is"),
  });
  const { exit, out } = sluice("models", "diff", "tabular@1.0.0", "tabular@1.1.0", "--json");
  expect(exit).toBe(0);
  const { differences } = JSON.parse(out);
  expect(differences).toEqual([
    { about: "file", words: expect.stringContaining("golden.json changed") },
    { about: "golden", words: 'case renamed: label is "benign", was "malignant"' },
  ]);

  await edit(join(source, "models/tabular/1.1.0"), "golden.json", '"label": "benign"', '"label": "malignant"');
  expect(sluice("models", "verify", "tabular@1.1.0")).toMatchObject({
    exit: 3,
    out: expect.stringContaining("golden.json"),
  });
  expect(sluice("models", "lock", "tabular@1.1.0").exit).toBe(0);
  expect(sluice("models", "verify", "tabular@1.1.0").exit).toBe(0);
});

test("models lock keeps the origin of unchanged files only", async () => {
  const dir = join(source, "models/tabular/1.2.0");
  await cp(fixture, dir, { recursive: true });
  const before = JSON.parse(await readFile(join(dir, "manifest.json"), "utf8"));
  const origin = { package: "pypi:x", version: "1", digest: digestBytes("x"), path: "x" };
  for (const file of before.files) file.origin = origin;
  await writeFile(join(dir, "manifest.json"), JSON.stringify({ ...before, version: "1.2.0" }));
  await edit(dir, "transformer.ts", "For tests only", "For tests");
  const { exit, out } = sluice("models", "lock", "tabular@1.2.0", "--json");
  expect(exit).toBe(0);
  const { manifest } = JSON.parse(out);
  const origins = manifest.files.map(({ path, origin: kept }: { path: string; origin?: object }) => [
    path,
    kept !== undefined,
  ]);
  expect(Object.fromEntries(origins)).toMatchObject({
    "transformer.ts": false,
    "model.onnx": true,
    "golden.json": true,
  });
});

test("a key pair signs a model and a release, and production accepts both", async () => {
  const dir = join(source, "models/tabular/2.0.0");
  await cp(fixture, dir, { recursive: true });
  await edit(dir, "manifest.json", '"version": "1.0.0"', '"version": "2.0.0"');
  const key = join(source, "release.pem");
  const { out } = sluice("models", "keygen", key, "--json");
  expect((await stat(key)).mode & 0o777).toBe(0o600);
  expect(sluice("models", "keygen", key)).toMatchObject({ exit: 2, err: expect.stringContaining("Cannot write") });
  const trust = {
    schema: "sluice/trust/v1",
    keys: { release: { publicKey: JSON.parse(out).publicKey } },
    environments: { production: { unsigned: "refuse", models: ["release"], releases: ["release"] } },
  };
  await writeFile(join(source, "policies/trust.yaml"), JSON.stringify(trust));

  const production = ["--environment", "production"];
  expect(sluice("models", "verify", "tabular@2.0.0", ...production).exit).toBe(3);
  expect(sluice("models", "sign", "tabular@2.0.0", "--key", key).exit).toBe(0);
  expect(sluice("models", "verify", "tabular@2.0.0", ...production)).toMatchObject({
    exit: 0,
    out: expect.stringContaining("model is signed by release"),
  });

  const releasesDir = join(source, ".sluice/releases");
  const policies = await policiesOf(source);
  const serviceDir = join(root, "service");
  const staged = await stageRelease(releasesDir, {
    modelDir: dir,
    serviceDir,
    modules: join(root, "node_modules"),
    policies,
  });
  const { report } = await verify(dir);
  await writeRecord(releasesDir, {
    schema: "sluice/release/v1",
    release: staged,
    environment: "production",
    admittedAt: new Date().toISOString(),
    reports: [report],
  });
  expect(sluice("release", "verify", "nothing")).toMatchObject({ exit: 2, err: expect.stringContaining(staged.id) });
  expect(sluice("release", "verify", staged.id, ...production)).toMatchObject({
    exit: 3,
    out: expect.stringContaining("release is unsigned"),
  });
  expect(sluice("release", "show", staged.id)).toMatchObject({
    exit: 0,
    out: expect.stringContaining("No statement, unsigned; next: sluice release create"),
  });
  expect(sluice("release", "create", staged.id, "--key", key).exit).toBe(0);
  expect(sluice("release", "verify", staged.id, ...production)).toMatchObject({
    exit: 0,
    out: expect.stringContaining("release is signed by release"),
  });
  expect(sluice("release", "show", staged.id).out).toMatch(/numbers largest deviation \d.* ONNX Runtime 1.30.0, bun/);
  const { numbers } = JSON.parse(sluice("release", "verify", staged.id, ...production, "--json").out);
  expect(numbers).toMatchObject({ admitted: { largestDeviation: expect.any(Number) }, drift: [] });
  expect(numbers.here).toEqual(numbers.admitted);
  expect(JSON.parse(sluice("release", "show", staged.id, "--json").out)).toMatchObject({
    statement: { predicate: { verificationResult: "PASSED" } },
  });

  await edit(join(releasesDir, staged.id), "record.json", '"figure": "4 files', '"figure": "5 files');
  expect(sluice("release", "verify", staged.id, ...production)).toMatchObject({
    exit: 3,
    out: expect.stringContaining("reports"),
  });
});
