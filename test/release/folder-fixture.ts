import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { digestBytes } from "../../pipeline/src/release/digest.ts";
import type { Manifest } from "../../pipeline/src/spec/manifest.ts";

const contents = {
  "model.onnx": "not really a model: these tests never load it",
  "transformer.ts": "export {};",
  "golden.json": "{}",
} as const;

/** A manifest of the three files that every model folder has. */
export function aManifest(change: Partial<Manifest> = {}): Manifest {
  return {
    schema: "sluice/manifest/v1",
    name: "tiny",
    version: "1.0.0",
    description: "A folder for tests",
    license: "Apache-2.0",
    files: Object.entries(contents).map(([path, text]) => ({ path, size: text.length, digest: digestBytes(text) })),
    model: "model.onnx",
    transformer: "transformer.ts",
    golden: "golden.json",
    inputs: [{ name: "x", dtype: "float32", shape: ["batch", 4] }],
    outputs: [{ name: "y", dtype: "float32", shape: ["batch", 3] }],
    runtime: {
      onnxruntime: "1.30.0",
      session: {
        intraOpNumThreads: 1,
        interOpNumThreads: 1,
        executionMode: "sequential",
        graphOptimizationLevel: "all",
      },
    },
    batch: { safe: true, maxSize: 8 },
    tolerance: { outputs: { y: { absolute: 1e-5, relative: 1e-4 } }, response: { absolute: 1e-5, relative: 1e-4 } },
    ...change,
  };
}

/** A model folder on disk, in a new temporary folder. */
export async function aFolder(change: Partial<Manifest> = {}): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "sluice-folder-"));
  for (const [path, text] of Object.entries(contents)) await writeFile(join(dir, path), text);
  await writeFile(join(dir, "manifest.json"), JSON.stringify(aManifest(change)));
  return dir;
}
