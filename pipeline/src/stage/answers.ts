import { isChanged } from "../decide/changed.ts";
import { DeployError } from "../spec/error.ts";
import type { Json } from "../spec/golden.ts";
import type { Answers } from "../spec/sample.ts";
import { type Asked, predict } from "./predict.ts";

/** Where the arms answer, past the router; blue-green has no baseline. */
interface Addresses {
  stable: string;
  canary: string;
  baseline?: string;
}

/**
 * Puts the same requests to every arm, the next `count` of `requests` at each call, and counts the answers that differ
 * from stable's. Stable is asked once for each: its first answer is what both others are held against. A request that
 * stable does not answer is no comparison; one that only another arm does not answer is a change of that arm's.
 */
export function answerComparer(
  requests: readonly Json[],
  asked: Omit<Asked, "address">,
): (addresses: Addresses, count: number) => Promise<Answers> {
  let position = 0;
  const known = new Map<Json, Json>();
  return async ({ stable, canary, baseline }, count) => {
    const answers = { compared: 0, changed: 0, noise: 0 };
    for (let i = 0; i < count; i++) {
      const request = requests[position++ % requests.length];
      if (request === undefined) break;
      const ask = (address: string) => outputOf({ ...asked, address }, request);
      const [meant, canaries, baselines] = await Promise.all([
        known.get(request) ?? ask(stable),
        ask(canary),
        baseline && ask(baseline),
      ]);
      if (meant === undefined) continue;
      known.set(request, meant);
      answers.compared += 1;
      if (differs(meant, canaries)) answers.changed += 1;
      if (baseline !== undefined && differs(meant, baselines)) answers.noise += 1;
    }
    const { noise, ...others } = answers;
    return baseline === undefined ? others : { ...others, noise };
  };
}

function differs(meant: Json, found: Json | undefined): boolean {
  return found === undefined || isChanged(meant, found);
}

async function outputOf(asked: Asked, request: Json): Promise<Json | undefined> {
  try {
    const answer = await predict(asked, request);
    return "output" in answer ? answer.output : undefined;
  } catch (error) {
    if (error instanceof DeployError) return undefined;
    throw error;
  }
}
