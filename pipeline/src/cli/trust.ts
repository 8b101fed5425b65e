import { join } from "node:path";
import { readTrust } from "../release/trust.ts";
import type { VerifyOptions } from "../stage/verify.ts";
import type { Place } from "./options.ts";

/** Whose signatures the environment accepts: `verify` judges a model's by it. */
export type Trust = NonNullable<VerifyOptions["trust"]>;

/** Reads `policies/trust.yaml` for the environment; throws `E_FILE`. */
export async function readTrustFor({ policiesDir, environment }: Place): Promise<Trust> {
  return { trusted: await readTrust(join(policiesDir, "trust.yaml")), environment };
}
