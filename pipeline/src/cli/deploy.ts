import type { Command } from "commander";
import { z } from "zod";
import { admit } from "../decide/admit.ts";
import { exitCodes, exitOfVerdict } from "../decide/exit.ts";
import { verifyFolder } from "../release/folder.ts";
import { findModel } from "../release/models.ts";
import { type Gates, renderGates } from "../report/text.ts";
import { openRollout } from "../rollout/open.ts";
import { DeployError } from "../spec/error.ts";
import type { Release } from "../spec/release.ts";
import { explain, type Verdict } from "../spec/verdict.ts";
import { verify } from "../stage/verify.ts";
import { attest, attestEnd, demandSigner } from "./attest.ts";
import { beginRollout, demandBeginning, stableOf } from "./begin.ts";
import { admitted, bootstrap, stage } from "./bootstrap.ts";
import { addCommand, type Outcome } from "./command.ts";
import { demandBudget, overrideBudget, overrideBudgetOption } from "./error-budget.ts";
import { runGates } from "./gates.ts";
import { type Holding, holding } from "./holding.ts";
import { type Host, openHost } from "./host.ts";
import { parseOptions, placeOf } from "./options.ts";
import { outcomeOf } from "./outcome.ts";
import { coloursFor, type Progress, terminalProgress } from "./progress.ts";
import { roll } from "./rolling.ts";
import { openTarget, type Target } from "./target.ts";
import { traffic, trafficOption, withTraffic } from "./traffic.ts";

const Options = z.object({ override: z.string().min(1).optional(), overrideBudget, traffic });
type Options = Omit<z.infer<typeof Options>, "traffic">;

/** A model by name@version, and its folder. */
type Found = { ref: string; modelDir: string };

export function register(program: Command): void {
  addCommand(
    program,
    "deploy",
    {
      description:
        "Verify a release, prove its contract and its speed, and let traffic in through a canary. After a crash, run it again: it goes on from the journal.",
      example: "sluice deploy magika@3.3.0 --environment local",
    },
    (command) =>
      command
        .argument("[model]", "model as name@version (default: the environment's release)")
        .option("--override <reason>", "begin in a freeze window or a cooldown; the reason is journaled")
        .option(...overrideBudgetOption)
        .option(...trafficOption),
    async (options, [ref]) => {
      const { traffic, ...overrides } = parseOptions(Options, options);
      const host = withTraffic(await openHost(placeOf(options)), traffic);
      const progress = terminalProgress();
      const wanted = ref ?? host.policies.environment.release;
      const model = { ref: wanted, modelDir: await findModel(host.place.modelsDir, wanted) };
      return holding(host.store, async (held) => {
        return (
          (await goOn(host, held, model, progress)) ?? (await deploy(host, held, { ...model, ...overrides }, progress))
        );
      });
    },
  );
}

/**
 * An earlier run was cut short: its rollout goes on under the policies it began with. Anything else fails while a
 * rollout is open, another model folder of the same name too.
 */
async function goOn(
  host: Host,
  held: Holding,
  { ref, modelDir }: Found,
  progress: Progress,
): Promise<Outcome | undefined> {
  const open = await openRollout(host.store);
  if (open === undefined) return undefined;
  const { name, version, digest } = open.state.opened.candidate.model;
  const isSame = `${name}@${version}` === ref && (await verifyFolder(modelDir)).digest === digest;
  if (!isSame) {
    throw new DeployError(
      "E_STATE",
      `Cannot deploy ${ref}: the rollout of ${name}@${version} (${digest}) has not ended; next: sluice rollout, or sluice abort`,
    );
  }
  progress.done(`going on with rollout ${open.id} from its journal`);
  const target = await openTarget(host, held.lease.fence);
  return outcomeOf(host, target.address, open.id, await roll(host, target, held, { rollout: open.id, progress }));
}

async function deploy(
  host: Host,
  held: Holding,
  { ref, modelDir, override, overrideBudget }: Options & Found,
  progress: Progress,
): Promise<Outcome> {
  progress.now(`verify ${ref}`);
  const { report } = await verify(modelDir, { trust: host.trust });
  progress.done(`verify: ${report.verdict.kind}; ${report.figure}`);
  const { require: required } = host.policies.admission;
  if (report.verdict.kind !== "pass") return refused(ref, { reports: [report], required }, report.verdict);

  await demandSigner(host);
  const candidate = await stage(host, modelDir);
  const target = await openTarget(host, held.lease.fence);
  await bootstrap(host, target, progress);
  const stable = await stableOf(host, target);
  if (stable.release.id === candidate.id) return nothingToDo(host, target, candidate);
  await demandBeginning(host, candidate, override);
  const budget = await demandBudget(host, overrideBudget, progress);

  const reports = [report, ...(await runGates(host, target, { release: candidate, progress }))];
  const verdict = admit(required, reports);
  if (verdict.kind !== "pass") return refused(ref, { reports, required, budget }, verdict);
  await admitted(host, candidate, { reports, required, budget });
  progress.done(await attest(host, candidate.id));
  const rollout = await beginRollout(host, target, held, { candidate, override, budget });
  return outcomeOf(host, target.address, rollout, await roll(host, target, held, { rollout, progress }));
}

function refused(ref: string, gates: Gates, verdict: Verdict): Outcome {
  const text = [
    renderGates(gates, coloursFor(process.stdout)),
    `Cannot release ${ref}: ${explain(verdict)}`,
    "No traffic was moved; next: sluice status",
  ].join("\n");
  return { exit: exitOfVerdict(verdict), json: { verdict, reports: gates.reports }, text };
}

async function nothingToDo(host: Host, target: Target, release: Release): Promise<Outcome> {
  await attestEnd(host, release.id); // An earlier run may have been killed before it did.
  const text = `Nothing to do: ${release.id} is stable and serves all traffic at ${target.address}; next: sluice status`;
  return { exit: exitCodes.done, json: { unchanged: true, release, address: target.address }, text };
}
