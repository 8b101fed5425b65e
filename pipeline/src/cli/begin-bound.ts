import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Casting, castArms } from "../decide/arms.ts";
import type { Opened } from "../decide/state.ts";
import { verifyFolder } from "../release/folder.ts";
import { findModel } from "../release/models.ts";
import { pullManifest } from "../release/oci/blob.ts";
import { readRecord } from "../release/oci/promote.ts";
import { retag } from "../release/oci/push.ts";
import type { Ask } from "../release/oci/registry.ts";
import { systemClock } from "../rollout/clock.ts";
import { openRollout, rolloutId } from "../rollout/open.ts";
import type { Store } from "../rollout/ports.ts";
import { DeployError } from "../spec/error.ts";
import type { Policies } from "../spec/policy.ts";
import type { Release } from "../spec/release.ts";
import { type Asking, addressBehind, findServers } from "../target/bound/servers.ts";
import { openHaproxy } from "../target/haproxy/router.ts";
import { until } from "../target/wait.ts";
import { demandBeginning } from "./begin.ts";
import { demandBudget } from "./error-budget.ts";
import type { Holding } from "./holding.ts";
import type { Place } from "./options.ts";
import type { Progress } from "./progress.ts";
import { type BoundStage, parseControl } from "./roll-bound.ts";

/** A rollout onto servers that run already: what it works with. `candidate` was allowed before. */
export type BoundWork = {
  ask: Ask;
  store: Store;
  held: Holding;
  place: Place;
  policies: Policies;
  progress: Progress;
  candidate: Release;
};

/** Where the environment is; `armsOf` says where each arm of a rollout is in it. */
export type BoundPlace = Asking & { armsOf: (opened: Pick<Opened, "arms">) => BoundStage };

/** The environment's router, as its file or `options` name it. Throws `E_USAGE` when its target is of another kind. */
export async function boundStageOf(
  { environment, environmentName }: Policies,
  { site, control, keyFile }: { site?: string | undefined; control?: string | undefined; keyFile: string },
): Promise<BoundPlace> {
  const { target, model } = environment;
  if (target.kind !== "bound") {
    const why = `its target is ${target.kind}, expected bound`;
    throw new DeployError("E_USAGE", `Cannot deploy an image to ${environmentName}: ${why}; next: sluice deploy`);
  }
  const asking: Asking = {
    site: site ?? target.address,
    control: parseControl(control ?? target.control),
    key: (await readFile(keyFile, "utf8")).trim(),
    model,
  };
  const at = (id: string) => addressBehind(asking.site, id);
  return {
    ...asking,
    armsOf: ({ arms }) => ({
      ...asking,
      addresses: { stable: at(arms.stable), baseline: at(arms.baseline), canary: at(arms.canary) },
    }),
  };
}

/** The rollout to go on with, or a new one; undefined when the candidate has all traffic already. */
export async function beginBound(
  work: BoundWork,
  asking: Asking,
  { override, overrideBudget }: { override?: string | undefined; overrideBudget?: string | undefined },
): Promise<Opened | undefined> {
  const { store, candidate, policies, place, progress } = work;
  const open = await openRollout(store);
  if (open !== undefined) return goOn(open.state.opened, work);
  const stable = await presentRelease(work);
  const casting = await cast(work, asking, stable);
  if (casting.kind === "serving") return undefined;
  await demandBeginning({ policies, store }, candidate, override);
  const { strategy, slo } = policies;
  const rollout = rolloutId(systemClock.now(), candidate.id);
  const budget = await demandBudget({ policies, place }, overrideBudget, progress);
  const why = { ...(override === undefined ? {} : { override }), ...(budget === undefined ? {} : { budget }) };
  const opened: Opened = { kind: "opened", rollout, candidate, stable, arms: casting.arms, strategy, slo, ...why };
  await settle(work, asking, casting.arms.stable);
  await store.append(rollout, work.held.lease, opened);
  return opened;
}

/** The model folder of a release, proven to be the one that its record names. */
export async function modelDirOf({ modelsDir }: Place, { model }: Release): Promise<string> {
  const dir = await findModel(modelsDir, `${model.name}@${model.version}`);
  const { digest } = await verifyFolder(dir);
  if (digest === model.digest) return dir;
  throw new DeployError(
    "E_DIGEST",
    `Cannot use ${dir}: digest is ${digest}, the release's record says ${model.digest}`,
  );
}

function goOn(opened: Opened, { candidate, progress }: BoundWork): Opened {
  if (opened.candidate.id !== candidate.id) {
    const other = opened.candidate.id;
    throw new DeployError(
      "E_STATE",
      `Cannot deploy ${candidate.id}: the rollout of ${other} has not ended; next: deploy ${other}`,
    );
  }
  progress.done(`going on with rollout ${opened.rollout} from its journal`);
  return opened;
}

/** The release whose image the registry has as the environment's. */
async function presentRelease({ ask, place: { environment } }: BoundWork): Promise<Release> {
  const image = (await pullManifest(ask, environment))?.descriptor;
  const record = image && (await readRecord(ask, image));
  if (record !== undefined) return record.release;
  const next = `sluice image promote ADDRESS --environment ${environment}, of the image that its servers run`;
  throw new DeployError(
    "E_STATE",
    `Cannot deploy to ${environment}: no image of the registry is its own; next: ${next}`,
  );
}

/** Gives the image the tag that servers wait for, and waits until the servers are what a rollout needs. */
async function cast(work: BoundWork, asking: Asking, stable: Release): Promise<Exclude<Casting, { kind: "missing" }>> {
  const { ask, candidate, place, policies, progress } = work;
  const tag = `${place.environment}-candidate`;
  await retag(ask, candidate.code.digest, tag);
  progress.now(`wait for a server that runs ${tag}`);
  let reason = "";
  const found = await until(policies.strategy.readySeconds, async () => {
    const casting = castArms(await findServers(asking), { stable, candidate });
    if (casting.kind !== "missing") return casting;
    reason = casting.reason;
    return undefined;
  });
  if (found !== undefined) return found;
  const next = `start ${candidate.code.digest} (tag ${tag}) on a server without traffic`;
  throw new DeployError("E_STATE", `Cannot deploy to ${place.environment}: ${reason}; next: ${next}`);
}

/** Traffic of a rollout that nobody remembers goes back to stable. */
async function settle({ place }: BoundWork, { control }: Asking, stable: string): Promise<void> {
  const folder = join(place.stateDir, "bound", place.environment);
  await mkdir(folder, { recursive: true });
  const router = openHaproxy({ control, samplesFile: join(folder, "samples.json") });
  await router.writeWeights({ [stable]: 100 });
}
