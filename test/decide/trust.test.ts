import { expect, test } from "bun:test";
import fc from "fast-check";
import { compareVersions, judgeTrust } from "../../pipeline/src/decide/trust.ts";
import { type SeenSignature, type Signed, TrustPolicy } from "../../pipeline/src/spec/trust.ts";
import { explain } from "../../pipeline/src/spec/verdict.ts";

const pem = "-----BEGIN PUBLIC KEY-----\nnot read here\n";
const atMs = Date.parse("2026-06-01T00:00:00Z");
const policy = TrustPolicy.parse({
  schema: "sluice/trust/v1",
  keys: {
    old: { publicKey: pem, from: "2025-01-01T00:00:00Z", to: "2026-07-01T00:00:00Z" },
    new: { publicKey: pem, from: "2026-05-01T00:00:00Z" },
    stolen: { publicKey: pem, revokedAt: "2026-03-01T00:00:00Z" },
    models: { publicKey: pem },
  },
  environments: {
    local: { unsigned: "accept", models: ["models"], releases: [] },
    production: {
      unsigned: "refuse",
      models: ["old", "new", "stolen", "models"],
      releases: ["old", "new", "stolen"],
      oldest: { magika: "3.2.0" },
      maxAgeDays: 30,
    },
  },
});

const by = (...signers: string[]): SeenSignature => ({ kind: "good", signers, leftOut: [] });

function aRelease(signature: SeenSignature, change: Partial<Signed> = {}): Signed {
  return { kind: "release", name: "magika", version: "3.3.0", signature, signedAt: atMs, ...change };
}

test.each([
  ["the old key while both overlap", by("old"), "release is signed by old"],
  ["the new key while both overlap", by("new"), "release is signed by new"],
  ["both", by("old", "new"), "release is signed by old, new"],
])("judgeTrust() accepts %s", (_, signature, figure) => {
  expect(judgeTrust(aRelease(signature), policy, "production", atMs)).toEqual({ verdict: { kind: "pass" }, figure });
});

const [before, after] = [Date.parse("2026-04-01T00:00:00Z"), Date.parse("2026-08-01T00:00:00Z")];
test.each([
  [
    "nothing signed",
    aRelease({ kind: "none" }),
    atMs,
    "release is unsigned (no signature in attestation.json), production refuses unsigned releases",
  ],
  ["an unknown signer", aRelease({ kind: "unknown", reason: "who" }), atMs, "signed by somebody unknown (who)"],
  ["a bad signature", aRelease({ kind: "bad", reason: "no fit" }), atMs, "signature is bad: no fit"],
  ["the old key after its end", aRelease(by("old")), after, "signer old was good until 2026-07-01"],
  ["the new key before its start", aRelease(by("new")), before, "signer new is good from 2026-05-01"],
  ["a revoked key", aRelease(by("stolen")), atMs, "signer stolen was revoked at 2026-03-01"],
  ["one good and one revoked key", aRelease(by("old", "stolen")), atMs, "signer stolen was revoked"],
  ["a key for models only", aRelease(by("models")), atMs, "signer models may not sign releases for production"],
  ["a signer that the policy lacks", aRelease(by("toString")), atMs, "may not sign releases"],
  ["nobody", aRelease(by()), atMs, "has no signer"],
  [
    "an older version",
    aRelease(by("old"), { version: "3.1.9" }),
    atMs,
    "magika is 3.1.9, production takes 3.2.0 and later",
  ],
  ["an old release", aRelease(by("old"), { signedAt: atMs - 31 * 86_400_000 }), atMs, "verified 31 days ago"],
  ["a release of the future", aRelease(by("old"), { signedAt: atMs + 3 * 86_400_000 }), atMs, "in the future"],
  [
    "a model with a file left out",
    aRelease({ kind: "good", signers: ["old"], leftOut: ["transformer.ts"] }),
    atMs,
    "leaves out transformer.ts",
  ],
] satisfies [string, Signed, number, string][])("judgeTrust() refuses %s in production", (_, signed, time, words) => {
  const { verdict } = judgeTrust(signed, policy, "production", time);
  expect(verdict.kind).toBe("fail");
  expect(explain(verdict)).toContain(words);
});

test("judgeTrust() accepts unsigned and unknown work in local and says why, but no bad signature", () => {
  const unsigned = judgeTrust(aRelease({ kind: "none" }), policy, "local", atMs);
  expect(unsigned).toEqual({
    verdict: { kind: "pass" },
    figure: "release is unsigned (no signature in attestation.json), local accepts unsigned releases",
  });
  expect(judgeTrust(aRelease({ kind: "unknown", reason: "who" }), policy, "local", atMs).figure).toContain("who");
  expect(judgeTrust(aRelease({ kind: "bad", reason: "x" }), policy, "local", atMs).verdict.kind).toBe("fail");
});

test("judgeTrust() of an environment that the policy lacks is an error", () => {
  const { verdict } = judgeTrust(aRelease(by("old")), policy, "staging", atMs);
  expect(verdict.kind).toBe("error");
  expect(explain(verdict)).toContain("no environment staging, known are local, production");
});

test.each([
  ["3.2.0", "3.10.0"],
  ["2.9.9", "3.0.0"],
  ["1.0.0-rc.1", "1.0.0"],
  ["1.0.0-alpha", "1.0.0-beta"],
])("compareVersions() puts %s before %s", (older, newer) => {
  expect(compareVersions(older, newer)).toBeLessThan(0);
  expect(compareVersions(newer, older)).toBeGreaterThan(0);
});

test("compareVersions() of a version with itself is 0", () => {
  fc.assert(
    fc.property(
      fc.nat(99),
      fc.nat(99),
      fc.nat(99),
      (a, b, c) => compareVersions(`${a}.${b}.${c}`, `${a}.${b}.${c}`) === 0,
    ),
  );
});

test.each([
  [
    "an unknown signer",
    { environments: { local: { unsigned: "accept", models: ["x"], releases: [] } } },
    "unknown signer x",
  ],
  [
    "one name for two signers",
    {
      keys: { a: { publicKey: pem } },
      identities: { a: { subject: "m", issuer: "https://example.com" } },
      environments: {},
    },
    "one signer named a",
  ],
  ["no PEM", { keys: { a: { publicKey: "x" } }, environments: {} }, "PUBLIC KEY in PEM"],
  ["an unknown field", { environments: {}, more: 1 }, "more"],
])("TrustPolicy refuses %s", (_, change, words) => {
  const result = TrustPolicy.safeParse({ schema: "sluice/trust/v1", ...change });
  expect(result.error?.message).toContain(words);
});
