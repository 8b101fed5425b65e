import { expect, setDefaultTimeout, test } from "bun:test";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import { readAttestation } from "../../pipeline/src/release/attestation.ts";
import type { Evidence } from "../../pipeline/src/spec/statement.ts";
import { aRepository, sluice, startCli, untilPrinted } from "../support/cli.ts";

setDefaultTimeout(360_000); // three deployments on a machine that may be busy

/** Whether the machine is too busy to serve well is no concern here. */
async function aPatientRepository(): ReturnType<typeof aRepository> {
  const repository = await aRepository("magika/3.2.0", "magika/3.3.0");
  const models = { magika: { maxErrorRate: 0.9, latency: [{ quantile: 0.5, maxMs: 60_000 }] } };
  const slo = { schema: "sluice/slo/v1", budgetDays: 30, models };
  await writeFile(join(repository.path, "policies/slo.yaml"), stringify(slo));
  return repository;
}

/** The id of the newest rollout's candidate. */
async function newestRelease(source: string): Promise<string> {
  const { rollouts } = JSON.parse((await sluice(source, "history", "--json")).stdout);
  return rollouts[0].candidate;
}

async function evidenceOf(source: string, id: string): Promise<Evidence> {
  const { statement } = await readAttestation(join(source, ".sluice/releases", id, "attestation.json"));
  return statement.predicate.evidence;
}

test("deploy attests a release that was aborted, and again when it was promoted, and says that it is unsigned", async () => {
  await using repository = await aPatientRepository();
  const running = startCli(repository.path, "deploy");
  await untilPrinted(running, "canary has weight 20");
  expect((await sluice(repository.path, "abort", "--reason", "practice")).exit).toBe(0);
  expect(await running.result).toMatchObject({
    exit: 6,
    stderr: expect.stringContaining("attestation: unsigned, no signing key is configured"),
  });
  const id = await newestRelease(repository.path);
  expect((await evidenceOf(repository.path, id)).rollout).toMatchObject({
    result: "aborted",
    reason: expect.stringContaining("practice"),
  });

  expect((await sluice(repository.path, "deploy")).exit).toBe(0);
  expect((await evidenceOf(repository.path, id)).rollout).toMatchObject({ result: "promoted" });
  const shown = await sluice(repository.path, "release", "show", id);
  expect(shown.stdout).toMatch(/rollout +promoted/);
  expect(shown.stdout).toContain("unsigned; next: sluice release create");
  expect(await sluice(repository.path, "release", "verify", id)).toMatchObject({
    exit: 0,
    stdout: expect.stringContaining("release is unsigned"),
  });
});

test("where unsigned work is refused, deploy signs with a key, and a revoked key ends what it signed", async () => {
  await using repository = await aPatientRepository();
  const source = repository.path;
  const key = join(source, "release.pem");
  const { publicKey } = JSON.parse((await sluice(source, "models", "keygen", key, "--json")).stdout);
  const trust = (more: object, place: object = {}) =>
    writeFile(
      join(source, "policies/trust.yaml"),
      stringify({
        schema: "sluice/trust/v1",
        keys: { release: { publicKey, ...more } },
        environments: { local: { unsigned: "refuse", models: ["release"], releases: ["release"], ...place } },
      }),
    );
  await trust({});
  expect(await sluice(source, "deploy")).toMatchObject({
    exit: 3,
    stdout: expect.stringContaining("model is unsigned"),
  });
  for (const model of ["magika@3.2.0", "magika@3.3.0"]) {
    expect((await sluice(source, "models", "sign", model, "--key", key)).exit).toBe(0);
  }
  expect(await sluice(source, "deploy")).toMatchObject({
    exit: 3,
    stderr: expect.stringContaining("local refuses unsigned releases, and no signing key is configured"),
  });

  const first = await sluice(source, "deploy", "magika@3.2.0", "--signing-key", key);
  expect(first).toMatchObject({ exit: 0, stderr: expect.stringContaining("attestation: signed by key") });
  await trust({}, { signingKey: "release.pem" });
  const done = await sluice(source, "deploy");
  expect(done).toMatchObject({ exit: 0, stderr: expect.stringContaining("attestation: signed by key") });
  const id = await newestRelease(source);
  expect(await sluice(source, "release", "verify", id)).toMatchObject({
    exit: 0,
    stdout: expect.stringContaining("release is signed by release"),
  });
  expect((await evidenceOf(source, id)).rollout).toMatchObject({ result: "promoted" });

  await trust({});
  // Without the key the signed statement is kept, and the rollback said.
  const back = await sluice(source, "rollback", "--reason", "practice");
  expect(back).toMatchObject({ exit: 0, stderr: expect.stringContaining("not renewed without a key") });
  await trust({ revokedAt: "2026-01-01T00:00:00Z" });
  expect(await sluice(source, "rollout", id)).toMatchObject({
    exit: 3,
    stderr: expect.stringContaining("signer release was revoked at 2026-01-01T00:00:00Z"),
  });
  expect(
    JSON.parse(await readFile(join(source, ".sluice/releases", id, "attestation.json"), "utf8")).signatures,
  ).toHaveLength(1);
});
