import { join } from "node:path";
import { listPolicies } from "../../pipeline/src/release/policies.ts";
import type { Parts } from "../../pipeline/src/release/stage.ts";

/** The policies for `local` of the repository in `source`, as a part of a release. */
export async function policiesOf(source: string): Promise<Parts["policies"]> {
  const dir = join(source, "policies");
  return { dir, files: await listPolicies(dir, "local") };
}
