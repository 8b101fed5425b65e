import { stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { replaceFile } from "../rollout/durable.ts";
import { DeployError } from "../spec/error.ts";
import { Manifest, type ManifestFile, unlistedFiles } from "../spec/manifest.ts";
import { readJson } from "../spec/read.ts";
import { digestFile } from "./digest.ts";
import { listFolder } from "./walk.ts";

/** What the bytes of a folder cannot tell. A manifest that is there already tells what is not given. */
export type Wish = { description?: string | undefined; license?: string | undefined };

/** What ONNX Runtime says of the model. */
type Described = Pick<Manifest, "inputs" | "outputs"> & { onnxruntime: string };

const files = { model: "model.onnx", transformer: "transformer.ts", golden: "golden.json" };
const tolerance = { absolute: 1e-4, relative: 1e-3 };

/**
 * Makes the manifest of folder `<models>/<name>/<version>`, or makes it anew for the files as they are: origins stay with
 * files that did not change. Throws `E_FILE` for a file that is missing or no manifest can list.
 */
export async function lockFolder(
  dir: string,
  wish: Wish,
  describe: (path: string) => Promise<Described>,
): Promise<Manifest> {
  const before = await readBefore(dir);
  const found = await readFiles(dir, before);
  const roles =
    before === undefined ? files : { model: before.model, transformer: before.transformer, golden: before.golden };
  for (const path of Object.values(roles)) {
    if (!found.some((file) => file.path === path))
      throw new DeployError("E_FILE", `Cannot lock ${dir}: ${path} is missing`);
  }
  const { inputs, outputs, onnxruntime } = await describe(join(dir, roles.model));
  const manifest = Manifest.parse({
    schema: "sluice/manifest/v1",
    name: basename(dirname(resolve(dir))),
    version: basename(resolve(dir)),
    description: wish.description ?? before?.description ?? required(dir, "description"),
    license: wish.license ?? before?.license ?? required(dir, "license"),
    files: found,
    ...roles,
    inputs,
    outputs,
    runtime: { onnxruntime, session: before?.runtime.session ?? oneThread },
    batch: before?.batch ?? { safe: false, maxSize: 1 },
    tolerance: {
      outputs: Object.fromEntries(outputs.map(({ name }) => [name, before?.tolerance.outputs[name] ?? tolerance])),
      response: before?.tolerance.response ?? tolerance,
    },
  });
  await replaceFile(join(dir, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  return manifest;
}

/** Throughput comes from many workers with one thread each. */
const oneThread: Manifest["runtime"]["session"] = {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: "sequential",
  graphOptimizationLevel: "all",
};

async function readFiles(dir: string, before: Manifest | undefined): Promise<ManifestFile[]> {
  const { files: found, refused } = await listFolder(dir);
  if (refused.length > 0) throw new DeployError("E_FILE", `Cannot lock ${dir}: ${refused.slice(0, 5).join("; ")}`);
  const listed: ManifestFile[] = [];
  for (const { path } of found) {
    if (unlistedFiles.includes(path)) continue;
    const file = { path, ...(await digestFile(join(dir, path))) };
    const known = before?.files.find((old) => old.path === path && old.digest === file.digest);
    listed.push(known?.origin === undefined ? file : { ...file, origin: known.origin });
  }
  return listed;
}

async function readBefore(dir: string): Promise<Manifest | undefined> {
  const path = join(dir, "manifest.json");
  const isThere = await stat(path).then(
    () => true,
    () => false,
  );
  return isThere ? readJson(path, Manifest) : undefined;
}

function required(dir: string, what: string): never {
  throw new DeployError("E_USAGE", `Cannot lock ${dir}: a new manifest needs --${what}`);
}
