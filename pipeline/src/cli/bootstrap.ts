import { join } from "node:path";
import { exitOfVerdict } from "../decide/exit.ts";
import { digestList } from "../release/digest.ts";
import { findModel } from "../release/models.ts";
import { listPolicies } from "../release/policies.ts";
import { writeRecord } from "../release/record.ts";
import { stageRelease } from "../release/stage.ts";
import type { BudgetReading } from "../spec/budget.ts";
import { DeployError } from "../spec/error.ts";
import type { Release } from "../spec/release.ts";
import type { Report, StageName } from "../spec/report.ts";
import { explain } from "../spec/verdict.ts";
import { verify } from "../stage/verify.ts";
import { attest, demandTrusted } from "./attest.ts";
import { imageOfModel } from "./docker.ts";
import type { Host } from "./host.ts";
import type { Progress } from "./progress.ts";
import type { Target } from "./target.ts";

/** On an empty site, makes the environment's `bootstrap` release stable, so that there is something to compare with. */
export async function bootstrap(host: Host, { router, runtime }: Target, progress: Progress): Promise<void> {
  const { bootstrap: ref } = host.policies.environment;
  const stable = await runtime.readStable();
  if (stable !== undefined && Object.keys(await router.readWeights()).length > 0) return;
  progress.now(`bootstrap ${ref}`);
  const modelDir = await findModel(host.place.modelsDir, ref);
  const { report } = await verify(modelDir, { trust: host.trust });
  if (exitOfVerdict(report.verdict) !== 0) {
    throw new DeployError("E_GATE", `Cannot bootstrap with ${ref}: verify says ${explain(report.verdict)}`);
  }
  const release = await stage(host, modelDir);
  await admitted(host, release, { reports: [report], required: [report.stage] });
  progress.done(await attest(host, release.id));
  await demandTrusted(host, release.id);
  const { readySeconds } = host.policies.strategy;
  const releaseDir = join(host.releasesDir, release.id);
  await runtime.start(release.id, { releaseId: release.id, releaseDir, readySeconds });
  await runtime.writeStable(release.id);
  await router.writeWeights({ [release.id]: 100 });
  progress.done(`bootstrap: ${ref} is stable`);
}

/** Stages the model in `modelDir` with this Sluice's service, or its image, and the environment's policies, as they were read. */
export async function stage(host: Host, modelDir: string): Promise<Release> {
  const { serviceDir, modules, policies, place, releasesDir } = host;
  const dir = place.policiesDir;
  const files = await listPolicies(dir, place.environment);
  if (digestList(files) !== policies.digest)
    throw new DeployError("E_FILE", `Cannot stage a release: ${dir} changed since it was read; next: sluice deploy`);
  const image = await imageOfModel(host, modelDir);
  return stageRelease(releasesDir, { modelDir, serviceDir, modules, policies: { dir, files }, image });
}

/** What admitted a release: its reports, and which of them had to pass. */
type Admission = { reports: Report[]; required: StageName[]; budget?: BudgetReading | undefined };

/** Writes the record of a release that may take traffic. */
export function admitted(host: Host, release: Release, { reports, required, budget }: Admission): Promise<void> {
  return writeRecord(host.releasesDir, {
    schema: "sluice/release/v1",
    release,
    environment: host.place.environment,
    admittedAt: new Date().toISOString(),
    reports,
    required,
    ...(budget === undefined ? {} : { budget }),
  });
}
