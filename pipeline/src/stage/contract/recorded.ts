import { access } from "node:fs/promises";
import { join } from "node:path";
import { type Consumer, ConsumerExamples, ConsumerPolicy } from "../../spec/consumers.ts";
import { DeployError } from "../../spec/error.ts";
import { readJson, readYaml } from "../../spec/read.ts";

/** Who relies on a model, and what they recorded. */
export interface Recorded {
  consumers: Consumer[];
  examples: ConsumerExamples[];
}

/** Reads `consumers.yaml` of a policies folder and the examples beside it; no such file means no known consumer. */
export async function readConsumers(policiesDir: string, model: string): Promise<Recorded> {
  const path = join(policiesDir, "consumers.yaml");
  const exists = await access(path).then(
    () => true,
    () => false,
  );
  if (!exists) return { consumers: [], examples: [] };
  const consumers = (await readYaml(path, ConsumerPolicy)).models[model] ?? [];
  const examples: ConsumerExamples[] = [];
  for (const { name, examples: file } of consumers) {
    if (file === undefined) continue;
    const read = await readJson(join(policiesDir, file), ConsumerExamples);
    if (read.consumer !== name) {
      throw new DeployError(
        "E_FILE",
        `Cannot use ${join(policiesDir, file)}: it is ${read.consumer}'s, expected ${name}'s`,
      );
    }
    examples.push(read);
  }
  return { consumers, examples };
}
