import { join } from "node:path";
import { agreeCase } from "../../pipeline/src/release/agree.ts";
import { DeployError } from "../../pipeline/src/spec/error.ts";
import { Golden } from "../../pipeline/src/spec/golden.ts";
import { readJson } from "../../pipeline/src/spec/read.ts";
import type { Model } from "./model.ts";

/** Asks a model its golden cases; throws `E_GATE` with the first disagreement. Returns how many agreed. */
export async function replayGolden(model: Model): Promise<number> {
  const { cases } = await readJson(join(model.dir, model.manifest.golden), Golden);
  const ref = `${model.name}@${model.version}`;
  for (const golden of cases) {
    const input = { kind: "json", text: JSON.stringify(golden.request) } as const;
    const answer = await model.pool
      .submit({ input, wantOutputs: true, principal: "golden" })
      .catch((cause: unknown) => {
        throw new DeployError("E_GATE", `Cannot serve ${ref}: golden case ${golden.name} failed: ${reasonOf(cause)}`, {
          cause,
        });
      });
    const response: unknown = JSON.parse(answer.json);
    const outputs = answer.outputs === undefined ? {} : { outputs: answer.outputs };
    const { disagreement } = agreeCase(golden, { ...outputs, response }, model.manifest.tolerance);
    if (disagreement !== undefined) throw new DeployError("E_GATE", `Cannot serve ${ref}: ${disagreement}`);
  }
  return cases.length;
}

function reasonOf(error: unknown): string {
  if (error instanceof Error && error.cause instanceof Error) return error.cause.message;
  return error instanceof Error ? error.message : String(error);
}
