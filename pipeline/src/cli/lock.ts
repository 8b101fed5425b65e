import { cp, mkdir, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Command } from "commander";
import { z } from "zod";
import { exitCodes } from "../decide/exit.ts";
import { lockFolder } from "../release/lock.ts";
import { findModel } from "../release/models.ts";
import { DeployError } from "../spec/error.ts";
import type { Manifest } from "../spec/manifest.ts";
import { ModelRef, splitModelRef } from "../spec/name.ts";
import { describeModel } from "../stage/describe.ts";
import { addCommand, type Outcome } from "./command.ts";
import { parseOptions, placeOf } from "./options.ts";

const Options = z.object({ description: z.string().min(1).optional(), license: z.string().min(1).optional() });

export function register(models: Command): void {
  registerAdd(models);
  registerLock(models);
}

function registerAdd(models: Command): void {
  addCommand(
    models,
    "add",
    {
      description: "Copy a folder with model.onnx, transformer.ts and golden.json to models/, and make its manifest.",
      example: 'sluice models add magika@3.4.0 ~/magika --license Apache-2.0 --description "Tells file types"',
    },
    (command) => lockOptions(command.argument("<model>", "name@version").argument("<folder>", "folder to copy")),
    async (options, [ref = "", folder = ""]) => {
      const parsed = ModelRef.safeParse(ref);
      if (!parsed.success) throw new DeployError("E_USAGE", `Cannot add ${ref}: ${parsed.error.issues[0]?.message}`);
      const { name, version } = splitModelRef(parsed.data);
      const dir = join(placeOf(options).modelsDir, name, version);
      if (await exists(dir))
        throw new DeployError("E_USAGE", `Cannot add ${ref}: ${dir} exists; next: sluice models lock ${ref}`);
      const wish = parseOptions(Options, options);
      await mkdir(dirname(dir), { recursive: true });
      try {
        await cp(folder, dir, { recursive: true, verbatimSymlinks: true, errorOnExist: true });
        return locked(ref, await lockFolder(dir, wish, describeModel));
      } catch (error) {
        await rm(dir, { recursive: true, force: true });
        throw error;
      }
    },
  );
}

function registerLock(models: Command): void {
  addCommand(
    models,
    "lock",
    {
      description: "Write manifest.json anew for a model folder as it is. A signature of before no longer fits.",
      example: "sluice models lock magika@3.3.0",
    },
    (command) => lockOptions(command.argument("<model>", "name@version")),
    async (options, [ref = ""]) => {
      const dir = await findModel(placeOf(options).modelsDir, ref);
      return locked(ref, await lockFolder(dir, parseOptions(Options, options), describeModel));
    },
  );
}

function lockOptions(command: Command): Command {
  return command
    .option("--description <text>", "what the model does, in one line (default: as before)")
    .option("--license <id>", "SPDX identifier of its licence (default: as before)");
}

function locked(ref: string, manifest: Manifest): Outcome {
  const bytes = manifest.files.reduce((sum, { size }) => sum + size, 0);
  const text = `Locked ${ref}: ${manifest.files.length} files, ${bytes} bytes; next: sluice models verify ${ref}`;
  return { exit: exitCodes.done, json: { model: ref, manifest }, text };
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
