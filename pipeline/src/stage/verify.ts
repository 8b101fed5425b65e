import { cpus } from "node:os";
import { judgeTrust } from "../decide/trust.ts";
import { judgeVerify } from "../decide/verify.ts";
import { digestInThreads } from "../release/digest-threads.ts";
import { inspectFolder, readListed } from "../release/folder.ts";
import { seeModelSignature, type Trusted } from "../release/trust.ts";
import type { Digest } from "../spec/digest.ts";
import { DeployError } from "../spec/error.ts";
import { Golden } from "../spec/golden.ts";
import type { Manifest } from "../spec/manifest.ts";
import { parseJson } from "../spec/read.ts";
import type { Report } from "../spec/report.ts";
import type { Signed } from "../spec/trust.ts";
import type { VerifyFacts } from "../spec/verify.ts";
import { copyTransformer } from "./golden-copy.ts";
import { startReplayer } from "./golden-process.ts";

const maxGoldenBytes = 64 * 2 ** 20;

/**
 * `timeoutMs` is the golden replay's deadline, `nowMs` the time since the epoch. With `trust` the model's signature is looked
 * at too, and judged for that environment.
 */
export type VerifyOptions = {
  timeoutMs?: number;
  nowMs?: number;
  trust?: { trusted: Trusted; environment: string };
};

/** A verified folder: what was seen and judged, its manifest, and the digest over every listed file and the manifest. */
export type Verified = { report: Report; manifest: Manifest; digest: Digest };

/**
 * Proves a model folder: every file, extra and missing files, what ONNX Runtime says of the model, and the golden cases
 * through the folder's own transformer. Throws `E_FILE` when its manifest or golden file is no such file; every other
 * wrong is the report's verdict.
 */
export async function verify(dir: string, options: VerifyOptions = {}): Promise<Verified> {
  const { timeoutMs = 60_000, nowMs = Date.now() } = options;
  const startedAt = performance.now();
  using replayer = startReplayer(); // Loads ONNX Runtime while the files are read.
  const { manifest, digest, files, itself, differences } = await inspectFolder(dir, { digestLarge: digestInThreads });
  const facts: VerifyFacts = {
    files: files.length + 1,
    bytes: files.reduce((sum, file) => sum + file.size, 0),
    cpu: cpus()[0]?.model ?? "unknown",
    differences,
  };
  if (options.trust !== undefined) {
    const { trusted, environment } = options.trust;
    const known = differences.length === 0 ? [...files, itself] : [];
    const signature = await seeModelSignature(dir, trusted, nowMs, known);
    const signed: Signed = { kind: "model", name: manifest.name, version: manifest.version, signature };
    facts.signature = judgeTrust(signed, trusted.policy, environment, nowMs);
  }
  if (differences.length === 0) {
    const golden = await readGolden(dir, manifest);
    await using code = await copyTransformer(dir, manifest);
    facts.replay = await replayer.replay({ dir, codeDir: code.path, manifest, golden }, timeoutMs);
  }
  const report: Report = {
    schema: "sluice/report/v1",
    stage: "verify",
    subject: `${manifest.name}@${manifest.version}`,
    startedAt: new Date(nowMs).toISOString(),
    durationMs: performance.now() - startedAt,
    ...judgeVerify(facts, manifest),
    facts: { ...facts, digest },
  };
  return { report, manifest, digest };
}

async function readGolden(dir: string, manifest: Manifest): Promise<Golden> {
  const file = manifest.files.find(({ path }) => path === manifest.golden);
  if (file === undefined) throw new DeployError("E_FILE", `Cannot use ${dir}: its manifest lists no golden file`);
  const text = new TextDecoder().decode(await readListed(dir, file, maxGoldenBytes));
  return parseJson(text, Golden, `${dir}/${file.path}`);
}
