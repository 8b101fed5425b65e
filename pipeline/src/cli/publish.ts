import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import { z } from "zod";
import { admit } from "../decide/admit.ts";
import { exitCodes } from "../decide/exit.ts";
import { sealEnvelope } from "../release/dsse.ts";
import { readPrivateKey } from "../release/ec.ts";
import { verifyFolder } from "../release/folder.ts";
import { findModel } from "../release/models.ts";
import { attach } from "../release/oci/attach.ts";
import { pushLayout } from "../release/oci/push.ts";
import { readPolicies } from "../release/policies.ts";
import { stateRelease } from "../release/statement.ts";
import type { Digest } from "../spec/digest.ts";
import { statementType } from "../spec/dsse.ts";
import { DeployError } from "../spec/error.ts";
import { attachedTypes } from "../spec/promotion.ts";
import { readJson, readText } from "../spec/read.ts";
import { type ReleaseRecord, releaseId } from "../spec/release.ts";
import { Report } from "../spec/report.ts";
import { explain } from "../spec/verdict.ts";
import { unpackLayout } from "../stage/image/archive.ts";
import { addCommand } from "./command.ts";
import { thisMaker } from "./maker.ts";
import { type Place, parseOptions, placeOf } from "./options.ts";
import { registryFrom, withRegistryOptions } from "./registry.ts";

const Options = z.object({
  archive: z.string().min(1),
  reports: z.string().min(1),
  to: z.string().min(1),
  sbom: z.string().min(1).optional(),
  signingKey: z.string().min(1).optional(),
});
type Options = z.infer<typeof Options>;

export function registerPublish(image: Command): void {
  addCommand(
    image,
    "publish",
    {
      description:
        "Push an image that the environment admits, with its release record, its components and a signature.",
      example:
        "sluice image publish magika@3.3.0 --archive magika.tar --reports reports.json --to registry.example/magika:3.3.0",
    },
    (command) =>
      withRegistryOptions(command)
        .argument("<model>", "model as name@version that is in it")
        .requiredOption("--archive <file>", "the image, as an OCI archive")
        .requiredOption("--reports <file>", "what the gates said: a JSON list of reports")
        .requiredOption("--to <address>", "host/repository:tag")
        .option("--sbom <file>", "CycloneDX bill of materials to attach")
        .option("--signing-key <file>", "private EC key in PEM: signs what was proven"),
    async (flags, [ref = ""]) => {
      const options = parseOptions(Options, flags);
      const { ask, reference } = await registryFrom(flags, options.to);
      const folder = await mkdtemp(join(tmpdir(), "sluice-publish-"));
      try {
        const { layout, digest } = await unpackLayout(options.archive, folder);
        const address = `${reference.host}/${reference.repository}@${digest}`;
        const record = await recordOf(placeOf(flags), ref, { digest, address, reports: options.reports });
        const image = await pushLayout(ask, layout, reference.name);
        for (const [artifactType, bytes] of await documentsOf(record, options))
          await attach(ask, image, { artifactType, bytes });
        const text = `Published ${address}; next: sluice image promote ${address} --environment production`;
        return { exit: exitCodes.done, json: { published: { address, digest, release: record.release } }, text };
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
  );
}

async function recordOf(
  place: Place,
  ref: string,
  { digest, address, reports: path }: { digest: Digest; address: string; reports: string },
): Promise<ReleaseRecord> {
  const reports = await readJson(path, z.array(Report));
  const policies = await readPolicies(place.policiesDir, place.environment);
  const verdict = admit(policies.admission.require, reports);
  if (verdict.kind !== "pass") throw new DeployError("E_GATE", `Cannot publish ${ref}: ${explain(verdict)}`);
  const { manifest, digest: model } = await verifyFolder(await findModel(place.modelsDir, ref));
  return {
    schema: "sluice/release/v1",
    release: {
      id: releaseId(manifest.name, manifest.version, digest),
      model: { name: manifest.name, version: manifest.version, digest: model },
      code: { kind: "image", digest, reference: address },
      policy: { digest: policies.digest },
    },
    environment: place.environment,
    admittedAt: new Date().toISOString(),
    reports,
  };
}

async function documentsOf(record: ReleaseRecord, options: Options): Promise<[string, Uint8Array<ArrayBuffer>][]> {
  const encode = (document: unknown) => new TextEncoder().encode(JSON.stringify(document));
  const documents: [string, Uint8Array<ArrayBuffer>][] = [[attachedTypes.record, encode(record)]];
  if (options.sbom !== undefined) documents.push([attachedTypes.sbom, new Uint8Array(await readFile(options.sbom))]);
  if (options.signingKey !== undefined) {
    const key = readPrivateKey(await readText(options.signingKey), options.signingKey);
    const statement = Buffer.from(JSON.stringify(stateRelease(record, await thisMaker())));
    documents.push([attachedTypes.attestation, encode(sealEnvelope(statement, statementType, [key]))]);
  }
  return documents;
}
