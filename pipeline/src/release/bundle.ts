import { execFile } from "node:child_process";
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Digest } from "../spec/digest.ts";
import { DeployError } from "../spec/error.ts";
import { digestFile, digestList } from "./digest.ts";

const run = promisify(execFile);

/**
 * Bundles the service in folder `serviceDir` into `dir`: `main.js` and `worker.js` with every dependency but the native
 * ONNX Runtime, so that a release keeps its code when the checkout moves on. Returns the digest over the files.
 */
export async function buildBundle(serviceDir: string, dir: string): Promise<Digest> {
  await rm(dir, { recursive: true, force: true });
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const entries = ["main.ts", "worker.ts"].map((name) => join(serviceDir, "src", name));
  const args = ["build", ...entries, "--target=node", "--format=esm", "--external=onnxruntime-node", `--outdir=${dir}`];
  try {
    await run(process.execPath, args, { cwd: serviceDir });
  } catch (cause) {
    const words = cause instanceof Error && "stderr" in cause ? String(cause.stderr).trim() : String(cause);
    throw new DeployError("E_TOOL", `Cannot bundle ${serviceDir}: bun build failed: ${words}`, { cause });
  }
  return digestBundle(dir);
}

/** The digest over the files of a bundle. */
export async function digestBundle(dir: string): Promise<Digest> {
  const names = await readdir(dir);
  return digestList(await Promise.all(names.map(async (path) => ({ path, ...(await digestFile(join(dir, path))) }))));
}
