/** Signs or proves a release on whatever runtime runs it: portable.ts sign|verify FOLDER KEY, portable.ts see FOLDER, prove RELEASES ID */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { readAttestation, seeAttestation, writeAttestation } from "../../pipeline/src/release/attestation.ts";
import { readCertificates } from "../../pipeline/src/release/certificate.ts";
import { readPrivateKey } from "../../pipeline/src/release/ec.ts";
import { verifyFolder } from "../../pipeline/src/release/folder.ts";
import { writeSignature } from "../../pipeline/src/release/oms/sign.ts";
import { readRecord } from "../../pipeline/src/release/record.ts";
import { proveStaged } from "../../pipeline/src/release/stage.ts";
import { stateRelease } from "../../pipeline/src/release/statement.ts";
import { readTrust, seeModelSignature } from "../../pipeline/src/release/trust.ts";
import { readJson } from "../../pipeline/src/spec/read.ts";
import { ReleaseRecord } from "../../pipeline/src/spec/release.ts";

const [, , action, home = "", pem] = process.argv;
const dir = join(home, "model");
const path = join(home, "attestation.json");

if (action === "sign") {
  const record = await readJson(join(home, "record.json"), ReleaseRecord);
  const key = readPrivateKey(pem ?? "", "key");
  const chain = readCertificates(readFileSync(join(home, "chain.pem"), "utf8"), "chain.pem");
  await writeSignature(dir, { key, chain });
  await writeAttestation(path, stateRelease(record, { by: "tester", tools: {} }), [key]);
} else if (action === "see") {
  const trusted = await readTrust(join(home, "trust.yaml"));
  console.log(JSON.stringify(await seeModelSignature(dir, trusted, Date.now())));
} else if (action === "prove") {
  await proveStaged(home, (await readRecord(home, pem ?? "")).release);
} else {
  const record = await readJson(join(home, "record.json"), ReleaseRecord);
  const trusted = await readTrust(join(home, "trust.yaml"));
  const { digest } = await verifyFolder(dir);
  const model = await seeModelSignature(dir, trusted, Date.parse("2026-06-01T00:00:00Z"));
  const release = await seeAttestation(path, record, trusted);
  const { predicate } = (await readAttestation(path)).statement;
  console.log(JSON.stringify({ digest, model, release: release.signature, result: predicate.verificationResult }));
}
