// Lays down the image's own files; run by the Dockerfile: bun service/assemble.ts <out> <bun|deno>.
// One folder for each layer, least often changed first: runtime (the program), libraries (native), code (the bundle).
import { chmod, cp, mkdir, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { z } from "zod";
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

const Package = z.object({ version: z.string(), dependencies: z.record(z.string(), z.string()).optional() });

async function assemble(out: string, runtime: string): Promise<void> {
  await rm(out, { recursive: true, force: true });
  await place(programOf(runtime), join(out, "runtime", "app", runtime));
  const modules = join(out, "libraries", "app", "node_modules");
  for (const [name, paths] of Object.entries(libraries)) {
    const dir = await installed(name, serviceDir);
    for (const path of paths) await place(join(dir, path), join(modules, name, path));
  }
  await buildBundle(serviceDir, join(out, "code", "app"));
  await writeFile(join(out, "code", "app", "package.json"), await describe());
  await placeInventory(join(out, "code", "app", "packages", "node_modules"));
  await settle(out, new Date(Number(process.env.SOURCE_DATE_EPOCH ?? 0) * 1000));
}

/** Deno takes a bare import only from a package that says it needs it. */
async function describe(): Promise<string> {
  const { version, dependencies = {} } = await readPackage(serviceDir);
  const kept = Object.entries(dependencies).filter(([name]) => name in libraries);
  const whole = { name: "sluice-service", version, license: "Apache-2.0", private: true, type: "module" };
  return `${JSON.stringify({ ...whole, dependencies: Object.fromEntries(kept) }, null, 2)}\n`;
}

async function readPackage(dir: string): Promise<z.infer<typeof Package>> {
  return Package.parse(JSON.parse(await readFile(join(dir, "package.json"), "utf8")));
}

/**
 * The names, versions and licences of what is inside the bundle: scanners find them by `package.json`, and the licences
 * ask that their text goes along.
 */
async function placeInventory(modules: string): Promise<void> {
  for (const [name, dir] of await dependenciesOf(serviceDir)) {
    const kept = (await readdir(dir)).filter((path) => /^(?:package\.json|licen[cs]e.*|notice.*)$/i.test(path));
    for (const path of kept) await place(join(dir, path), join(modules, name, path));
  }
}

async function dependenciesOf(dir: string, found = new Map<string, string>()): Promise<Map<string, string>> {
  const { dependencies = {} } = await readPackage(dir);
  for (const name of Object.keys(dependencies)) {
    if (found.has(name) || name in libraries) continue;
    const at = await installed(name, dir);
    found.set(name, at);
    await dependenciesOf(at, found);
  }
  return found;
}

async function installed(name: string, from: string): Promise<string> {
  const dir = join(from, "node_modules", name);
  if (await stat(dir).catch(() => undefined)) return dir;
  const up = dirname(from);
  if (up === from)
    throw new DeployError("E_STATE", `Cannot assemble an image: package ${name} is not installed; next: npm ci`);
  return installed(name, up);
}

function programOf(runtime: string): string {
  if (runtime === "bun") return process.execPath;
  if (runtime === "deno") return require.resolve(`@deno/${process.platform}-${process.arch}-glibc/deno`);
  throw new DeployError("E_USAGE", `Cannot assemble an image for ${runtime}: known are bun, deno`);
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
