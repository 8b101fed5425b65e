import { DeployError } from "../../pipeline/src/spec/error.ts";

/** The expected failure that `work` ends in; anything else that it ends in fails the test. */
export async function refusalOf(work: Promise<unknown>): Promise<DeployError> {
  const outcome = await work.catch((error: unknown) => error);
  if (outcome instanceof DeployError) return outcome;
  throw new Error(`Work was not refused, it ended in: ${String(outcome)}`, { cause: outcome });
}
