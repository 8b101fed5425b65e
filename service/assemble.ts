// Lays down the image's own files; run by the Dockerfile: bun service/assemble.ts <out> <bun|deno>.
// One folder for each layer, least often changed first: runtime (the program), libraries (native), code (the bundle).
import { chmod, cp, mkdir, readdir, rm, utimes } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { buildBundle } from "../pipeline/src/release/bundle.ts";
import { DeployError } from "../pipeline/src/spec/error.ts";

const serviceDir = import.meta.dirname;
const require = createRequire(import.meta.url);

/** Packages that stay outside the bundle: ONNX Runtime is native, zod is imported by the models' transformers. */
const libraries: Record<string, string[]> = {
  "onnxruntime-node": ["package.json", "dist", join("bin", "napi-v6", process.platform, process.arch)],
  "onnxruntime-common": ["package.json", "dist/cjs"],
  zod: ["package.json", "LICENSE", "index.js", "v4"],
};

async function assemble(out: string, runtime: string): Promise<void> {
  await rm(out, { recursive: true, force: true });
  await place(programOf(runtime), join(out, "runtime", "app", runtime));
  const modules = join(out, "libraries", "app", "node_modules");
  for (const [name, paths] of Object.entries(libraries)) {
    for (const path of paths) await place(join(packageDir(name), path), join(modules, name, path));
  }
  await buildBundle(serviceDir, join(out, "code", "app"));
  await settle(out, new Date(Number(process.env.SOURCE_DATE_EPOCH ?? 0) * 1000));
}

function programOf(runtime: string): string {
  if (runtime === "bun") return process.execPath;
  if (runtime === "deno") return require.resolve(`@deno/${process.platform}-${process.arch}-glibc/deno`);
  throw new DeployError("E_USAGE", `Cannot assemble an image for ${runtime}: known are bun, deno`);
}

function packageDir(name: string): string {
  const entry = require.resolve(name);
  return entry.slice(0, entry.lastIndexOf(join("node_modules", name)) + join("node_modules", name).length);
}

async function place(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await cp(from, to, { recursive: true, filter: (path) => !/\.(?:d\.[cm]?ts|map|cts)$/.test(path) });
}

/** Owner root, nobody may write, one date for all: equal input gives equal layers. */
async function settle(path: string, date: Date): Promise<void> {
  const entries = await readdir(path, { withFileTypes: true });
  for (const entry of entries) {
    const child = join(path, entry.name);
    if (entry.isDirectory()) await settle(child, date);
    else {
      await chmod(child, /(?:^|\/)(?:bun|deno)$/.test(child) ? 0o555 : 0o444);
      await utimes(child, date, date);
    }
  }
  await chmod(path, 0o555);
  await utimes(path, date, date);
}

const [out, runtime] = process.argv.slice(2);
if (out === undefined || runtime === undefined) {
  throw new DeployError("E_USAGE", "Cannot assemble an image: expected <out folder> <bun|deno>");
}
await assemble(out, runtime);
