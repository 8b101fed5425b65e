import { spawnSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { cp, readFile, rename, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { digestFiles } from "../../pipeline/src/release/digest.ts";
import { Manifest } from "../../pipeline/src/spec/manifest.ts";

const root = join(import.meta.dirname, "..", "..");

/** A command as one would type it, from its start to its end. */
export type Signing = { name: string; run: () => void };

/** Makes a model folder of `files` (they move into it) and gives the two commands that sign it. */
export async function signings(dir: string, files: readonly string[], python: string): Promise<Signing[]> {
  const model = join(dir, "models", "big", "1.0.0");
  await cp(join(root, "models", "magika", "3.3.0"), model, { recursive: true });
  const manifest = Manifest.parse(JSON.parse(await readFile(join(model, "manifest.json"), "utf8")));
  const digests = await digestFiles(files);
  for (const path of files) await rename(path, join(model, basename(path)));
  const parts = digests.map((found, i) => ({ path: basename(files[i] ?? ""), ...found }));
  const whole = { ...manifest, name: "big", version: "1.0.0", files: [...manifest.files, ...parts] };
  await writeFile(join(model, "manifest.json"), JSON.stringify(whole));
  const key = join(dir, "key.pem");
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  await writeFile(key, privateKey.export({ type: "pkcs8", format: "pem" }));
  const ours = [join(root, "pipeline", "src", "cli.ts"), "models", "sign", "big@1.0.0", "--key", key, "--source", dir];
  const signature = join(dir, "python.sig");
  const theirs = ["-m", "model_signing", "sign", "key", model, "--private_key", key, "--signature", signature];
  return [
    { name: "Python model_signing", run: () => run(python, [...theirs, "--ignore-paths", join(model, "model.sig")]) },
    { name: "Sluice", run: () => run(process.execPath, ours) },
  ];
}

function run(program: string, args: string[]): void {
  const { status, stderr } = spawnSync(program, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${program} ended with ${status}: ${stderr}`);
}
