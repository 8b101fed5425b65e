import { join } from "node:path";
import type { Command } from "commander";
import { exitOfVerdict } from "../decide/exit.ts";
import { compareFingerprints, sayFingerprint } from "../decide/fingerprint.ts";
import { judgeTrust } from "../decide/trust.ts";
import { worst } from "../decide/worst.ts";
import { attestationPath, seeAttestation } from "../release/attestation.ts";
import { proveStaged } from "../release/stage.ts";
import { fingerprintOf } from "../release/statement.ts";
import { explain } from "../spec/verdict.ts";
import { verify } from "../stage/verify.ts";
import { addCommand, type Outcome } from "./command.ts";
import { type Place, placeOf } from "./options.ts";
import { findRecord, releasesDir } from "./releases.ts";
import { readTrustFor } from "./trust.ts";

export function registerVerify(release: Command): void {
  addCommand(
    release,
    "verify",
    {
      description:
        "Prove a release's bytes and its attestation, judge the signer by policies/trust.yaml, and replay its golden cases: is it on this machine what it was where it was admitted?",
      example: "sluice release verify magika-3.3.0-0123456789ab --environment production",
    },
    (command) => command.argument("<release>", "release id"),
    (options, [id = ""]) => verifyRelease(placeOf(options), id),
  );
}

async function verifyRelease(place: Place, id: string): Promise<Outcome> {
  const record = await findRecord(place, id);
  const dir = releasesDir(place);
  await proveStaged(dir, record.release);
  const { trusted, environment } = await readTrustFor(place);
  const signed = await seeAttestation(attestationPath(dir, id), record, trusted);
  const trust = judgeTrust(signed, trusted.policy, environment, Date.now());
  const { report } = await verify(join(dir, id, "model"));
  const verdict = worst([
    { name: "attestation", verdict: trust.verdict },
    { name: "golden", verdict: report.verdict },
  ]);
  const [admitted, here] = [fingerprintOf(record.reports), fingerprintOf([report])];
  const drift = admitted === undefined || here === undefined ? [] : compareFingerprints(admitted, here);
  const text = [
    verdict.kind === "pass" ? `${id}: ${trust.figure}` : `${id}: ${verdict.kind}; ${explain(verdict)}`,
    ...(admitted === undefined ? [] : [`  admitted  ${sayFingerprint(admitted)}`]),
    ...(here === undefined ? [] : [`  here      ${sayFingerprint(here)}`]),
    ...drift.map((words) => `  drift     ${words}`),
  ].join("\n");
  const numbers = { admitted: admitted ?? null, here: here ?? null, drift };
  return {
    exit: exitOfVerdict(verdict),
    json: { release: record.release, verdict, figure: trust.figure, numbers },
    text,
  };
}
