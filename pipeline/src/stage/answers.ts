import { isChanged } from "../decide/changed.ts";
import { DeployError } from "../spec/error.ts";
import type { Json } from "../spec/golden.ts";
import type { Answers } from "../spec/sample.ts";
import { type Asked, predict } from "./predict.ts";

/**
 * Puts the same requests to two revisions, the next `count` of `requests` at each call, and counts the answers that
 * differ. A request that stable does not answer is no comparison; one that only the canary does not answer is a change.
 */
export function answerComparer(
  requests: readonly Json[],
  asked: Omit<Asked, "address">,
): (addresses: { stable: string; canary: string }, count: number) => Promise<Answers> {
  let position = 0;
  return async ({ stable, canary }, count) => {
    const answers = { compared: 0, changed: 0 };
    for (let i = 0; i < count; i++) {
      const request = requests[position++ % requests.length];
      if (request === undefined) break;
      const [before, after] = await Promise.all([
        outputOf({ ...asked, address: stable }, request),
        outputOf({ ...asked, address: canary }, request),
      ]);
      if (before === undefined) continue;
      answers.compared += 1;
      if (after === undefined || isChanged(before, after)) answers.changed += 1;
    }
    return answers;
  };
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
