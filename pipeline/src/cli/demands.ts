import { join } from "node:path";
import type { Demands } from "../release/oci/promote.ts";
import { readPolicies } from "../release/policies.ts";
import { readTrust } from "../release/trust.ts";
import type { Place } from "./options.ts";

/** What the environment demands of an image that becomes its own: its admission policy, and whom it trusts. */
export async function demandsOf({ policiesDir, environment }: Place): Promise<Demands> {
  const { admission } = await readPolicies(policiesDir, environment);
  return { environment, require: admission.require, trusted: await readTrust(join(policiesDir, "trust.yaml")) };
}
