import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "commander";
import { z } from "zod";
import { exitOfVerdict } from "../decide/exit.ts";
import { readPolicies } from "../release/policies.ts";
import { renderLoad } from "../report/load.ts";
import { renderLoadPage } from "../report/load-section.ts";
import { renderReports } from "../report/text.ts";
import { DeployError } from "../spec/error.ts";
import { LoadPolicy } from "../spec/policy.ts";
import { readYaml } from "../spec/read.ts";
import type { Report } from "../spec/report.ts";
import { readConsumers } from "../stage/contract/recorded.ts";
import { findCapacity } from "../stage/load/capacity.ts";
import { loadWithK6 } from "../stage/load/k6.ts";
import { type LoadInput, load } from "../stage/load/load.ts";
import { goldenRequests, recordedRequests } from "../stage/load/request.ts";
import { addCommand } from "./command.ts";
import { type Place, parseOptions, placeOf } from "./options.ts";
import { coloursFor } from "./progress.ts";
import { thisCommand } from "./repeat.ts";
import { runningFrom } from "./running.ts";

const Options = z.object({
  profile: z.string().min(1).optional(),
  driver: z.enum(["sluice", "k6"], "expected sluice or k6"),
  stableUrl: z.url().optional(),
  stableKeyFile: z.string().min(1).optional(),
  pid: z.coerce.number().int().positive().optional(),
  page: z.string().min(1).optional(),
});
type Options = z.infer<typeof Options>;

export function register(program: Command): void {
  addCommand(
    program,
    "load",
    {
      description:
        "Is it fast enough? Drives a running service at a constant rate and holds it against slo.yaml, and against stable where one is given.",
      example: "sluice load magika@3.3.0 --url http://127.0.0.1:8080 --key-file key.txt --profile gate",
    },
    (command) =>
      command
        .argument("<model>", "model as name@version that it should serve")
        .requiredOption("--url <address>", "base address of the service")
        .requiredOption("--key-file <path>", "file with an API key of scope predict")
        .option("--profile <name>", "a profile of load.yaml, or capacity: the highest rate within the objectives")
        .option("--driver <name>", "sluice, or k6 from the PATH", "sluice")
        .option("--stable-url <address>", "measure this service in the same run, and compare")
        .option("--stable-key-file <path>", "its API key, when it is another")
        .option("--pid <number>", "process of the service on this machine: its memory is watched")
        .option("--page <file>", "write what was measured as one HTML page"),
    async (options, [ref = ""]) => {
      const { page } = parseOptions(Options, options);
      const report = { ...(await measure(placeOf(options), options, ref)), repeat: thisCommand() };
      if (page !== undefined) await writeFile(page, await renderLoadPage(report));
      const text = [renderReports([report], coloursFor(process.stdout)), renderLoad(report)].join("\n\n").trimEnd();
      return { exit: exitOfVerdict(report.verdict), json: { report }, text };
    },
  );
}

async function measure(place: Place, options: Record<string, unknown>, ref: string): Promise<Report> {
  const chosen = parseOptions(Options, options);
  const { url, key, manifest, golden } = await runningFrom(place, options, ref);
  const { environment, slo } = await readPolicies(place.policiesDir, place.environment);
  const { examples } = await readConsumers(place.policiesDir, manifest.name);
  const requests = [...goldenRequests(manifest.name, golden), ...recordedRequests(manifest.name, examples)];
  const input = { url, key, subject: ref, requests, slo };
  const policy = await readYaml(join(place.policiesDir, "load.yaml"), LoadPolicy);
  const name = chosen.profile ?? environment.load;
  if (name === "capacity" && policy.capacity !== undefined) {
    return findCapacity({
      ...input,
      profile: policy.capacity,
      onRun: ({ figure }) => process.stderr.write(`${figure}\n`),
    });
  }
  const profile = policy.profiles[name];
  if (profile === undefined) throw new DeployError("E_USAGE", unknownProfile(name, policy));
  if (chosen.driver === "k6") return loadWithK6({ ...input, profile });
  return load({ ...input, profile, ...(await besides(chosen, key)) });
}

async function besides(
  { stableUrl, stableKeyFile, pid }: Options,
  key: string,
): Promise<Pick<LoadInput, "stable" | "pid">> {
  const watched = pid === undefined ? {} : { pid };
  if (stableUrl === undefined) return watched;
  const stableKey = stableKeyFile === undefined ? key : (await readFile(stableKeyFile, "utf8")).trim();
  return { ...watched, stable: { url: stableUrl.replace(/\/$/, ""), key: stableKey } };
}

function unknownProfile(name: string, { profiles, capacity }: LoadPolicy): string {
  const known = [...Object.keys(profiles), ...(capacity === undefined ? [] : ["capacity"])];
  return `Cannot use --profile: load.yaml has no ${name}; known are ${known.toSorted().join(", ")}`;
}
