import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { admit } from "../../decide/admit.ts";
import { judgeTrust } from "../../decide/trust.ts";
import { worst } from "../../decide/worst.ts";
import type { Digest } from "../../spec/digest.ts";
import { DeployError } from "../../spec/error.ts";
import type { Descriptor } from "../../spec/oci.ts";
import { attachedTypes, Promotion } from "../../spec/promotion.ts";
import { parseJson } from "../../spec/read.ts";
import { ReleaseRecord } from "../../spec/release.ts";
import type { StageName } from "../../spec/report.ts";
import { explain, type Verdict } from "../../spec/verdict.ts";
import { seeAttestation } from "../attestation.ts";
import type { Trusted } from "../trust.ts";
import { attach, readAttached } from "./attach.ts";
import { pullManifest } from "./blob.ts";
import { retag } from "./push.ts";
import type { Ask } from "./registry.ts";

/** What an environment demands of an image that becomes its own. */
export type Demands = { environment: string; require: readonly StageName[]; trusted: Trusted };

/**
 * Makes the image under `name` (tag or digest) the environment's: the same bytes get the environment's tag. Throws
 * `E_GATE` when its attached record or attestation does not allow it.
 */
export async function promoteImage(ask: Ask, name: string, demands: Demands, nowMs: number): Promise<Promotion> {
  const { image } = await demandAllowed(ask, name, demands, nowMs);
  const before = (await pullManifest(ask, demands.environment))?.descriptor.digest;
  const promotion: Promotion = {
    schema: "sluice/promotion/v1",
    environment: demands.environment,
    digest: image.digest,
    ...(before === undefined || before === image.digest ? {} : { previous: before }),
    at: new Date(nowMs).toISOString(),
  };
  const bytes = new TextEncoder().encode(JSON.stringify(promotion));
  await attach(ask, image, { artifactType: attachedTypes.promotion, bytes });
  await retag(ask, image.digest, demands.environment);
  return promotion;
}

/** The image under `name` and its record; throws `E_GATE` when they or its attestation do not allow it in the environment. */
export async function demandAllowed(
  ask: Ask,
  name: string,
  demands: Demands,
  nowMs: number,
): Promise<{ image: Descriptor; record: ReleaseRecord }> {
  const found = await pullManifest(ask, name);
  if (found === undefined) throw new DeployError("E_USAGE", `Cannot find image ${name} in the registry`);
  const image = found.descriptor;
  const record = await readRecord(ask, image);
  const verdict = await judgeImage(ask, image, { record, demands, nowMs });
  if (verdict.kind === "pass" && record !== undefined) return { image, record };
  throw new DeployError("E_GATE", `Cannot promote ${image.digest} to ${demands.environment}: ${explain(verdict)}`);
}

/** The release record attached to an image, when there is one. */
export async function readRecord(ask: Ask, image: Descriptor): Promise<ReleaseRecord | undefined> {
  const [text] = await readAttached(ask, image, attachedTypes.record);
  if (text === undefined) return undefined;
  return parseJson(new TextDecoder().decode(text), ReleaseRecord, "the attached release record");
}

/** The digest that an environment had before the present one; throws `E_STATE` when there is none. */
export async function previousOf(ask: Ask, environment: string): Promise<Digest> {
  const present = await pullManifest(ask, environment);
  const attached = present && (await readAttached(ask, present.descriptor, attachedTypes.promotion));
  const promotions = (attached ?? []).map((bytes) =>
    parseJson(new TextDecoder().decode(bytes), Promotion, "promotion"),
  );
  const last = promotions.findLast((one) => one.environment === environment && one.previous !== undefined);
  if (last?.previous !== undefined) return last.previous;
  throw new DeployError("E_STATE", `Cannot roll ${environment} back: no image was its own before the present one`);
}

async function judgeImage(
  ask: Ask,
  image: Descriptor,
  { record, demands, nowMs }: { record: ReleaseRecord | undefined; demands: Demands; nowMs: number },
): Promise<Verdict> {
  if (record === undefined) return { kind: "error", reason: "it has no release record; next: sluice image publish" };
  const { code } = record.release;
  const same: Verdict =
    code.digest === image.digest ? { kind: "pass" } : { kind: "fail", breaches: [`its record is of ${code.digest}`] };
  return worst([
    { name: "record", verdict: same },
    { name: "admission", verdict: admit(demands.require, record.reports) },
    { name: "trust", verdict: await judgeSigners(ask, image, record, demands, nowMs) },
  ]);
}

async function judgeSigners(
  ask: Ask,
  image: Descriptor,
  record: ReleaseRecord,
  { environment, trusted }: Demands,
  nowMs: number,
): Promise<Verdict> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-attestation-"));
  try {
    const path = join(folder, "attestation.json");
    const [attestation] = (await readAttached(ask, image, attachedTypes.attestation)).slice(-1);
    if (attestation !== undefined) await writeFile(path, attestation);
    const signed = await seeAttestation(path, record, trusted);
    return judgeTrust(signed, trusted.policy, environment, nowMs).verdict;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
