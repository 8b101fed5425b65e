import { join } from "node:path";
import type { Command } from "commander";
import { z } from "zod";
import { exitCodes } from "../decide/exit.ts";
import { sayFingerprint } from "../decide/fingerprint.ts";
import { attestationPath, readAttestation, writeAttestation } from "../release/attestation.ts";
import { readPrivateKey } from "../release/ec.ts";
import { proveStaged } from "../release/stage.ts";
import { stateRelease } from "../release/statement.ts";
import { systemClock } from "../rollout/clock.ts";
import { fileStore } from "../rollout/file-store.ts";
import type { Store } from "../rollout/ports.ts";
import { readText } from "../spec/read.ts";
import type { ReleaseRecord } from "../spec/release.ts";
import type { Attestation } from "../spec/statement.ts";
import { addCommand } from "./command.ts";
import { findRollout } from "./evidence.ts";
import { thisMaker } from "./maker.ts";
import { type Place, parseOptions, placeOf } from "./options.ts";
import { registerVerify } from "./release-verify.ts";
import { findRecord, releasesDir } from "./releases.ts";

const CreateOptions = z.object({ key: z.array(z.string().min(1)).min(1) });

export function register(program: Command): void {
  const release = program.command("release").description("Releases: what was proven of them, signed.");
  registerCreate(release);
  registerShow(release);
  registerVerify(release);
}

function registerCreate(release: Command): void {
  addCommand(
    release,
    "create",
    {
      description: "Sign what was proven of an admitted release, and how its rollout ended, into its attestation.json.",
      example: "sluice release create magika-3.3.0-0123456789ab --key release-2026.pem",
    },
    (command) =>
      command
        .argument("<release>", "release id")
        .requiredOption("--key <file...>", "private EC keys in PEM: one signature each"),
    async (options, [id = ""]) => {
      const { key } = parseOptions(CreateOptions, options);
      const place = placeOf(options);
      const keys = await Promise.all(key.map(async (path) => readPrivateKey(await readText(path), path)));
      const record = await findRecord(place, id);
      await proveStaged(releasesDir(place), record.release);
      const statement = stateRelease(record, await thisMaker(), await findRollout(storeOf(place, record), id));
      const path = attestationPath(releasesDir(place), id);
      await writeAttestation(path, statement, keys);
      const text = `Signed ${id} into ${path}; next: sluice release verify ${id}`;
      return { exit: exitCodes.done, json: { attestation: path, statement }, text };
    },
  );
}

function registerShow(release: Command): void {
  addCommand(
    release,
    "show",
    {
      description: "What was proven of a release, and by whom it is said.",
      example: "sluice release show magika-3.3.0-0123456789ab",
    },
    (command) => command.argument("<release>", "release id"),
    async (options, [id = ""]) => {
      const place = placeOf(options);
      const record = await findRecord(place, id);
      const path = attestationPath(releasesDir(place), id);
      const attestation = await readAttestation(path).catch(() => undefined);
      return {
        exit: exitCodes.done,
        json: { record, statement: attestation?.statement ?? null, isSigned: attestation?.isSigned ?? false },
        text: sayRelease(record, attestation),
      };
    },
  );
}

function storeOf(place: Place, record: ReleaseRecord): Store {
  return fileStore(join(place.stateDir, "rollouts", record.environment), systemClock);
}

function sayRelease(
  { release, environment, admittedAt, reports }: ReleaseRecord,
  attestation: { statement: Attestation; isSigned: boolean } | undefined,
): string {
  const { by, rollout, fingerprint } = attestation?.statement.predicate.evidence ?? {};
  return [
    `${release.id}, admitted to ${environment} at ${admittedAt}`,
    `  model   ${release.model.name}@${release.model.version} ${release.model.digest}`,
    `  code    ${release.code.kind} ${release.code.digest}`,
    `  policy  ${release.policy.digest}`,
    ...reports.map(({ stage, verdict, figure }) => `  ${stage.padEnd(8)}  ${verdict.kind.padEnd(12)}  ${figure}`),
    ...(fingerprint === undefined ? [] : [`  numbers   ${sayFingerprint(fingerprint)}`]),
    ...(rollout === undefined ? [] : [`  rollout   ${rollout.result.padEnd(12)}  ${rollout.reason} (${rollout.id})`]),
    attestation?.isSigned === true
      ? `Signed statement by ${by}, not judged here`
      : `${by === undefined ? "No statement" : `Statement by ${by}`}, unsigned; next: sluice release create ${release.id} --key FILE`,
  ].join("\n");
}
