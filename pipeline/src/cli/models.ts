import { join } from "node:path";
import type { Command } from "commander";
import { exitCodes } from "../decide/exit.ts";
import { type Difference, diffModels, type Version } from "../release/diff.ts";
import { verifyFolder } from "../release/folder.ts";
import { findModel } from "../release/models.ts";
import { Golden } from "../spec/golden.ts";
import { readJson } from "../spec/read.ts";
import { addCommand } from "./command.ts";
import * as lock from "./lock.ts";
import { placeOf } from "./options.ts";
import * as sign from "./sign.ts";
import { addVerify } from "./verify.ts";

export function register(program: Command): void {
  const models = program.command("models").description("Model folders: manifest, signature, differences.");
  lock.register(models);
  addVerify(models, "sluice models verify magika@3.3.0 --environment production");
  registerDiff(models);
  sign.register(models);
}

function registerDiff(models: Command): void {
  addCommand(
    models,
    "diff",
    {
      description: "Say in words what differs between two versions: files, sizes, tensors, runtime, golden answers.",
      example: "sluice models diff magika@3.2.0 magika@3.3.0",
    },
    (command) => command.argument("<from>", "name@version").argument("<to>", "name@version"),
    async (options, [from = "", to = ""]) => {
      const { modelsDir } = placeOf(options);
      const differences = diffModels(await readVersion(modelsDir, from), await readVersion(modelsDir, to));
      return { exit: exitCodes.done, json: { from, to, differences }, text: sayDifferences(from, to, differences) };
    },
  );
}

async function readVersion(modelsDir: string, ref: string): Promise<Version> {
  const dir = await findModel(modelsDir, ref);
  const { manifest } = await verifyFolder(dir);
  return { manifest, golden: await readJson(join(dir, manifest.golden), Golden) };
}

function sayDifferences(from: string, to: string, differences: readonly Difference[]): string {
  if (differences.length === 0) return `${to} is the same as ${from}`;
  return [
    `${to} differs from ${from}:`,
    ...differences.map(({ about, words }) => `  ${about.padEnd(8)}  ${words}`),
  ].join("\n");
}
