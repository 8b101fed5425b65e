import { join } from "node:path";
import type { Command } from "commander";
import { z } from "zod";
import { exitCodes, exitOfVerdict } from "../decide/exit.ts";
import { worst } from "../decide/worst.ts";
import { type Difference, diffModels, type Version } from "../release/diff.ts";
import { verifyFolder } from "../release/folder.ts";
import { findModel, listModels } from "../release/models.ts";
import { readTrust } from "../release/trust.ts";
import { renderReports } from "../report/text.ts";
import { Golden } from "../spec/golden.ts";
import { readJson } from "../spec/read.ts";
import { verify } from "../stage/verify.ts";
import { addCommand } from "./command.ts";
import * as lock from "./lock.ts";
import { placeOf } from "./options.ts";
import { coloursFor } from "./progress.ts";
import * as sign from "./sign.ts";

export function register(program: Command): void {
  const models = program.command("models").description("Model folders: manifest, signature, differences.");
  lock.register(models);
  registerVerify(models);
  registerDiff(models);
  sign.register(models);
}

function registerVerify(models: Command): void {
  addCommand(
    models,
    "verify",
    {
      description: "Prove model folders: files, golden answers, and signatures by policies/trust.yaml.",
      example: "sluice models verify magika@3.3.0 --environment production",
    },
    (command) => command.argument("[model...]", "models as name@version (default: all)"),
    async (options, args) => {
      const { modelsDir, policiesDir, environment } = placeOf(options);
      const trusted = await readTrust(join(policiesDir, "trust.yaml"));
      const refs = args.length > 0 ? args : await listModels(modelsDir);
      const reports = [];
      for (const ref of refs) {
        reports.push((await verify(await findModel(modelsDir, ref), { trust: { trusted, environment } })).report);
      }
      const checks = reports.map(({ subject, verdict }) => ({ name: subject, verdict }));
      const signatures = reports.flatMap(({ subject, facts }) => {
        const signature = z.object({ figure: z.string() }).safeParse(facts.signature);
        return signature.success ? [`  ${subject}: ${signature.data.figure}`] : [];
      });
      const text = [renderReports(reports, coloursFor(process.stdout)), ...signatures].join("\n");
      return { exit: exitOfVerdict(worst(checks)), json: { reports }, text };
    },
  );
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
