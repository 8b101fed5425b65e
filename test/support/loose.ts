import { writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Changes the policies of a folder so that what a busy machine does to errors and latency is no matter. */
export async function loosen(policies: string): Promise<void> {
  const slo = { maxErrorRate: 0.99, latency: [{ quantile: 0.5, maxMs: 30_000 }] };
  const slos = { schema: "sluice/slo/v1", budgetDays: 30, models: { magika: slo } };
  await writeFile(join(policies, "slo.yaml"), JSON.stringify(slos));
  const local = { require: ["verify", "contract"], compareApi: false, errorBudget: "tell" };
  const admission = { schema: "sluice/admission/v1", environments: { local } };
  await writeFile(join(policies, "admission.yaml"), JSON.stringify(admission));
}
