import type { Signed, TrustPlace, TrustPolicy } from "../spec/trust.ts";
import type { Verdict } from "../spec/verdict.ts";

/** The verdict, and in words what was accepted and why. */
export type TrustJudgement = { verdict: Verdict; figure: string };

type Validity = { from?: string | undefined; to?: string | undefined; revokedAt?: string | undefined };

const dayMs = 86_400_000;

/** Judges a signature for `environment` at `atMs` (since the epoch). An environment that the policy lacks accepts nothing. */
export function judgeTrust(signed: Signed, policy: TrustPolicy, environment: string, atMs: number): TrustJudgement {
  const place = Object.hasOwn(policy.environments, environment) ? policy.environments[environment] : undefined;
  if (place === undefined) {
    const known = Object.keys(policy.environments).join(", ");
    const reason = `Cannot judge signature: trust policy has no environment ${environment}, known are ${known}`;
    return { verdict: { kind: "error", reason }, figure: "not judged" };
  }
  const { breaches, figure } = judgeSignature(signed, policy, place, { environment, atMs });
  const all = [...breaches, ...judgeAge(signed, place, { environment, atMs })];
  return all.length === 0
    ? { verdict: { kind: "pass" }, figure }
    : { verdict: { kind: "fail", breaches: all }, figure };
}

type Where = { environment: string; atMs: number };

function judgeSignature(signed: Signed, policy: TrustPolicy, place: TrustPlace, where: Where) {
  const { kind, signature } = signed;
  switch (signature.kind) {
    case "none":
    case "unknown": {
      const file = kind === "model" ? "model.sig" : "attestation.json";
      const state =
        signature.kind === "none"
          ? `unsigned (no signature in ${file})`
          : `signed by somebody unknown (${signature.reason})`;
      const words = `${kind} is ${state}, ${where.environment} ${place.unsigned}s unsigned ${kind}s`;
      return { breaches: place.unsigned === "accept" ? [] : [words], figure: words };
    }
    case "bad":
      return { breaches: [`${kind}'s signature is bad: ${signature.reason}`], figure: "bad signature" };
    case "good": {
      const breaches = signature.signers.flatMap((name) => judgeSigner(name, kind, policy, place, where));
      if (signature.signers.length === 0) breaches.push(`${kind}'s signature has no signer`);
      const [left] = signature.leftOut;
      if (left !== undefined) breaches.push(`${kind}'s signature leaves out ${left}`);
      return { breaches, figure: `${kind} is signed by ${signature.signers.join(", ")}` };
    }
  }
}

function judgeSigner(
  name: string,
  kind: Signed["kind"],
  policy: TrustPolicy,
  place: TrustPlace,
  where: Where,
): string[] {
  const validity: Validity | undefined = policy.keys[name] ?? policy.roots[name] ?? policy.identities[name];
  const allowed = kind === "model" ? place.models : place.releases;
  if (validity === undefined || !allowed.includes(name)) {
    return [
      `signer ${name} may not sign ${kind}s for ${where.environment}, only ${allowed.join(", ") || "nobody"} may`,
    ];
  }
  const { from, to, revokedAt } = validity;
  const breaches: string[] = [];
  if (from !== undefined && !(Date.parse(from) <= where.atMs)) breaches.push(`signer ${name} is good from ${from} on`);
  if (to !== undefined && !(where.atMs <= Date.parse(to))) breaches.push(`signer ${name} was good until ${to}`);
  if (revokedAt !== undefined && !(where.atMs < Date.parse(revokedAt)))
    breaches.push(`signer ${name} was revoked at ${revokedAt}`);
  return breaches;
}

/** An old release with a good signature is still an old release. */
function judgeAge(
  { kind, name, version, signedAt }: Signed,
  place: TrustPlace,
  { environment, atMs }: Where,
): string[] {
  const breaches: string[] = [];
  const oldest = Object.hasOwn(place.oldest, name) ? place.oldest[name] : undefined;
  if (oldest !== undefined && compareVersions(version, oldest) < 0) {
    breaches.push(`${name} is ${version}, ${environment} takes ${oldest} and later`);
  }
  if (kind === "release" && place.maxAgeDays !== undefined && signedAt !== undefined) {
    const days = (atMs - signedAt) / dayMs;
    if (!(days <= place.maxAgeDays))
      breaches.push(`release was verified ${Math.floor(days)} days ago, ${environment} takes ${place.maxAgeDays}`);
    if (!(days >= -1)) breaches.push("release was verified in the future");
  }
  return breaches;
}

/** Negative where `a` is the older semantic version. */
export function compareVersions(a: string, b: string): number {
  const [numbersA, labelA] = split(a);
  const [numbersB, labelB] = split(b);
  for (const [i, number] of numbersA.entries()) {
    const difference = number - (numbersB[i] ?? 0);
    if (difference !== 0) return difference;
  }
  if (labelA === labelB) return 0;
  if (labelA === "") return 1; // 1.0.0 is newer than 1.0.0-rc.1
  if (labelB === "") return -1;
  return labelA < labelB ? -1 : 1;
}

function split(version: string): [numbers: number[], label: string] {
  const dash = version.indexOf("-");
  const numbers = dash === -1 ? version : version.slice(0, dash);
  return [numbers.split(".").map(Number), dash === -1 ? "" : version.slice(dash + 1)];
}
