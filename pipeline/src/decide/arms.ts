import type { Digest } from "../spec/digest.ts";
import type { Arms } from "../spec/journal.ts";
import type { Release } from "../spec/release.ts";

/** What a running server says of itself; `image` is unknown when it was started without a release record. */
export type Served = { model: Digest; image?: Digest };

/** One server behind the router: its share of the traffic in percent, and what it serves; undefined when it does not answer. */
export type Server = { id: string; weight: number; serves: Served | undefined };

/** Which server plays which part, or why none can. `serving`: the candidate has all the traffic already. */
export type Casting =
  | { kind: "arms"; arms: Arms }
  | { kind: "serving"; stable: string }
  | { kind: "missing"; reason: string };

/**
 * Casts servers that run already. Stable is the one with traffic on stable's release; the canary another one on the
 * candidate's, the baseline another one on stable's.
 */
export function castArms(
  servers: readonly Server[],
  { stable, candidate }: { stable: Release; candidate: Release },
): Casting {
  const serving = servers.filter(({ weight }) => weight > 0).toSorted((a, b) => b.weight - a.weight);
  const [first] = serving;
  if (first === undefined) return missing("no server has traffic", servers);
  if (serving.every((server) => runs(server, candidate))) return { kind: "serving", stable: first.id };
  const present = serving.find((server) => runs(server, stable));
  if (present === undefined) return missing(`${first.id} has the traffic and does not run ${stable.id}`, servers);
  const others = servers.filter(({ id }) => id !== present.id);
  const canary = others.find((server) => runs(server, candidate));
  if (canary === undefined) return missing(`no server runs ${candidate.id}`, servers);
  const baseline = others.find((server) => runs(server, stable));
  if (baseline === undefined) return missing(`no second server runs ${stable.id}, to compare with`, servers);
  return { kind: "arms", arms: { stable: present.id, canary: canary.id, baseline: baseline.id } };
}

function runs({ serves }: Server, { code, model }: Release): boolean {
  if (serves === undefined) return false;
  return serves.image === undefined ? serves.model === model.digest : serves.image === code.digest;
}

function missing(why: string, servers: readonly Server[]): Casting {
  const found = servers.map(({ id, weight, serves }) => {
    const what = serves === undefined ? "does not answer" : `serves ${serves.image ?? `model ${serves.model}`}`;
    return `${id} (${weight} %) ${what}`;
  });
  return { kind: "missing", reason: `${why}; found: ${found.join(", ") || "no server"}` };
}
