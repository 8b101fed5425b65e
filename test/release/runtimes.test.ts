import { beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { createPublicKey } from "node:crypto";
import { writeFileSync } from "node:fs";
import { appendFile, chmod, cp, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { digestBytes } from "../../pipeline/src/release/digest.ts";
import { verifyFolder } from "../../pipeline/src/release/folder.ts";
import { signModel } from "../../pipeline/src/release/oms/sign.ts";
import { writeRecord } from "../../pipeline/src/release/record.ts";
import { stageRelease } from "../../pipeline/src/release/stage.ts";
import type { SignatureBundle } from "../../pipeline/src/spec/oms.ts";
import { readJson } from "../../pipeline/src/spec/read.ts";
import { ReleaseRecord } from "../../pipeline/src/spec/release.ts";
import { aCertificate, toPem } from "./certificate-fixture.ts";
import { aFolder } from "./folder-fixture.ts";
import { policiesOf } from "./policies-of.ts";
import { aSecondBundle, aSecondSigstore } from "./rekor2-fixture.ts";
import { aKeylessBundle, aSigstore, issuer, type Sigstore, subject } from "./sigstore-fixture.ts";

setDefaultTimeout(120_000); // processes, files and key pairs: slow on a machine that is busy

const root = fileURLToPath(new URL("../..", import.meta.url));
const bin = join(root, "node_modules/.bin");
const runtimes = {
  bun: [process.execPath],
  node: [join(bin, "node"), "--disable-warning=ExperimentalWarning"],
  deno: [join(bin, "deno"), "run", "--quiet", "-A", "--node-modules-dir=manual"],
} as const;
const names = ["bun", "node", "deno"] as const;
const authority = aCertificate({ name: "root", authority: true, curve: "P-521" });
// Signed with SHA-256 by a key of P-521, which not every runtime takes for a pair.
const leaf = aCertificate({
  name: "leaf",
  issuer: authority,
  usage: "digitalSignature",
  curve: "P-384",
  hash: "sha256",
});
let home: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "sluice-runtimes-"));
  await cp(await aFolder(), join(home, "model"), { recursive: true });
  const digest = digestBytes("x");
  const record: ReleaseRecord = {
    schema: "sluice/release/v1",
    release: {
      id: "tiny-1.0.0-0123456789ab",
      model: { name: "tiny", version: "1.0.0", digest },
      code: { kind: "bundle", digest },
      policy: { digest },
    },
    environment: "local",
    admittedAt: "2026-06-01T00:00:00Z",
    reports: [
      {
        schema: "sluice/report/v1",
        stage: "verify",
        subject: "tiny",
        startedAt: "2026-06-01T00:00:00Z",
        durationMs: 0.1,
        verdict: { kind: "pass" },
        figure: "",
        checks: [],
        facts: { deviation: 2.975769042290466e-8 },
      },
    ],
  };
  const trust = {
    schema: "sluice/trust/v1",
    keys: { release: { publicKey: createPublicKey(leaf.key).export({ type: "spki", format: "pem" }) } },
    roots: { corporate: { certificate: toPem(authority.certificate) } },
    environments: {},
  };
  await writeFile(join(home, "record.json"), JSON.stringify(record));
  await writeFile(join(home, "trust.yaml"), JSON.stringify(trust));
  await writeFile(join(home, "chain.pem"), toPem(leaf.certificate) + toPem(authority.certificate));
});

function run(
  runtime: (typeof names)[number],
  ...args: string[]
): { status: number | null; stdout: string; stderr: string } {
  const [program = "", ...flags] = runtimes[runtime];
  return spawnSync(program, [...flags, join(root, "test/release/portable.ts"), ...args], {
    cwd: root,
    encoding: "utf8",
  });
}

test.each(names)(
  "what %s signs, every runtime accepts, until a byte is changed",
  async (signer) => {
    const key = leaf.key.export({ type: "pkcs8", format: "pem" }).toString();
    expect(run(signer, "sign", home, key)).toMatchObject({ status: 0, stderr: "" });
    const { digest } = await verifyFolder(join(home, "model"));
    const good = (name: string) => ({ kind: "good", signers: [name], leftOut: [] });
    const wanted = { digest, model: good("corporate"), release: good("release"), result: "PASSED" };
    for (const verifier of names) {
      const { stdout, stderr } = run(verifier, "verify", home);
      expect({ verifier, stderr, seen: JSON.parse(stdout) }).toEqual({ verifier, stderr: "", seen: wanted });
    }
    writeFileSync(join(home, "model/golden.json"), "{ ");
    for (const verifier of names) expect(run(verifier, "verify", home).stderr).toContain("golden.json: digest is");
    writeFileSync(join(home, "model/golden.json"), "{}");
  },
  60_000,
);

test("a release that Bun staged is proven by every runtime, until a byte of its policies is changed", async () => {
  const releasesDir = await mkdtemp(join(tmpdir(), "sluice-runtimes-"));
  const release = await stageRelease(releasesDir, {
    modelDir: join(home, "model"),
    serviceDir: join(root, "service"),
    modules: join(root, "node_modules"),
    policies: await policiesOf(root),
  });
  const { id } = release;
  const record = await readJson(join(home, "record.json"), ReleaseRecord);
  await writeRecord(releasesDir, { ...record, release });
  for (const prover of names) {
    expect(run(prover, "prove", releasesDir, id)).toMatchObject({ status: 0, stderr: "" });
  }
  const policy = join(releasesDir, id, "policies/trust.yaml");
  await chmod(policy, 0o600);
  await appendFile(policy, "#");
  for (const prover of names) {
    expect(run(prover, "prove", releasesDir, id).stderr).toContain("policies/trust.yaml: size is");
  }
});

/** Signs a statement by a Sigstore that is made for it. */
function aKeyless<S extends Sigstore>(make: () => S, sign: (sigstore: S, statement: unknown) => SignatureBundle) {
  return (statement: unknown) => {
    const sigstore = make();
    return { signature: sign(sigstore, statement), trustedRoot: sigstore.trustedRoot };
  };
}

test.each([
  ["1", aKeyless(aSigstore, aKeylessBundle)],
  ["2", aKeyless(aSecondSigstore, aSecondBundle)],
] as const)("a keyless signature that Rekor %s has logged is accepted by every runtime", async (_, make) => {
  const place = await mkdtemp(join(tmpdir(), "sluice-runtimes-"));
  const model = join(place, "model");
  await cp(await aFolder(), model, { recursive: true });
  const bundle = JSON.parse(await signModel(model, { key: leaf.key }));
  const statement = JSON.parse(Buffer.from(bundle.dsseEnvelope.payload, "base64").toString());
  const { signature, trustedRoot } = make(statement);
  await writeFile(join(model, "model.sig"), JSON.stringify(signature));
  await writeFile(join(place, "trusted_root.json"), JSON.stringify(trustedRoot));
  const trust = {
    schema: "sluice/trust/v1",
    identities: { ci: { subject, issuer } },
    sigstore: { trustRoot: "trusted_root.json" },
    environments: {},
  };
  await writeFile(join(place, "trust.yaml"), JSON.stringify(trust));
  for (const runtime of names) {
    const { stdout, stderr } = run(runtime, "see", place);
    expect({ runtime, stderr, seen: JSON.parse(stdout) }).toEqual({
      runtime,
      stderr: "",
      seen: { kind: "good", signers: ["ci"], leftOut: [] },
    });
  }
});
