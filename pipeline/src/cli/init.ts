import { cp, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import type { Command } from "commander";
import { z } from "zod";
import { exitCodes } from "../decide/exit.ts";
import { lockFolder } from "../release/lock.ts";
import { DeployError } from "../spec/error.ts";
import { ModelName, Version } from "../spec/name.ts";
import { describeModel } from "../stage/describe.ts";
import { makeGolden } from "../stage/init/golden.ts";
import { transformerSource } from "../stage/init/transformer.ts";
import { addCommand, type Outcome } from "./command.ts";
import { home } from "./host.ts";
import { parseOptions, placeOf } from "./options.ts";

const Options = z.object({
  name: ModelName,
  modelVersion: Version,
  license: z.string().min(1),
  description: z.string(),
});
type Options = z.infer<typeof Options>;

export function register(program: Command): void {
  addCommand(
    program,
    "init",
    {
      description: "Lay down a repository to deploy from: models/ with any ONNX file, policies/ with comments.",
      example: "sluice init churn.onnx --name churn --license MIT --source my-models",
    },
    (command) =>
      command
        .argument("<file>", "an ONNX model")
        .requiredOption("--name <name>", "the model's name")
        .option("--model-version <version>", "its version", "1.0.0")
        .option("--license <id>", "SPDX identifier of its licence", "UNLICENSED")
        .option("--description <text>", "what it does, in one line", "To be described"),
    async (flags, [file = ""]) => init(resolve(file), placeOf(flags).source, parseOptions(Options, flags)),
  );
}

async function init(
  file: string,
  source: string,
  { name, modelVersion, license, description }: Options,
): Promise<Outcome> {
  const dir = join(source, "models", name, modelVersion);
  if (await exists(dir)) throw new DeployError("E_USAGE", `Cannot lay down ${dir}: it exists`);
  const { inputs, outputs } = await describeModel(file);
  const transformer = transformerSource(inputs, outputs);
  await mkdir(dir, { recursive: true });
  try {
    await cp(file, join(dir, "model.onnx"));
    await writeFile(join(dir, "transformer.ts"), transformer);
    await writeFile(join(dir, "golden.json"), "{}\n");
    const manifest = await lockFolder(dir, { license, description }, describeModel);
    await writeFile(join(dir, "golden.json"), `${JSON.stringify(await makeGolden(dir, manifest), null, 2)}\n`);
    await lockFolder(dir, {}, describeModel);
  } catch (error) {
    await rm(dir, { recursive: true, force: true });
    throw error;
  }
  const policies = await copyPolicies(source, name, `${name}@${modelVersion}`);
  const text = [
    `Laid down ${name}@${modelVersion} in ${relative(process.cwd(), dir) || dir}, and ${policies.length} policies`,
    "next: look at transformer.ts, put real inputs and answers into golden.json, sluice models lock, then sluice deploy",
  ].join("\n");
  return { exit: exitCodes.done, json: { model: `${name}@${modelVersion}`, dir, policies }, text };
}

/** Sluice's own policies, about this model; files that are there already stay as they are. */
async function copyPolicies(source: string, name: string, ref: string): Promise<string[]> {
  const from = join(home, "policies");
  const paths = (await readdir(from, { recursive: true })).filter((path) => path.endsWith(".yaml"));
  const written: string[] = [];
  for (const path of paths.filter((known) => known !== "consumers.yaml").sort()) {
    const to = join(source, "policies", path);
    if (await exists(to)) continue;
    const text = await readFile(join(from, path), "utf8");
    await mkdir(dirname(to), { recursive: true });
    await writeFile(to, text.replace(/\bmagika@\d+\.\d+\.\d+/g, ref).replace(/\bmagika\b/g, name));
    written.push(path);
  }
  return written;
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
