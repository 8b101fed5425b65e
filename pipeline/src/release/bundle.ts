import { execFile } from "node:child_process";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { DeployError } from "../spec/error.ts";
import type { ListedFile } from "../spec/manifest.ts";
import { digestFile } from "./digest.ts";
import { listFolder } from "./walk.ts";

const run = promisify(execFile);

/**
 * Bundles the service in folder `serviceDir` into `dir`: `main.js` and `worker.js` with every dependency but the native
 * ONNX Runtime, so that a release keeps its code when the checkout moves on. Returns its files.
 */
export async function buildBundle(serviceDir: string, dir: string): Promise<ListedFile[]> {
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
  const { files } = await listFolder(dir);
  return Promise.all(files.map(async ({ path }) => ({ path, ...(await digestFile(join(dir, path))) })));
}
