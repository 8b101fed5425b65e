import { DeployError } from "../../pipeline/src/spec/error.ts";
import { quote } from "./json.ts";
import type { Model } from "./model.ts";
import { Problem } from "./problem.ts";

/** The models of this process by name; of each name every version, the newest first. */
export class Models {
  readonly #versions = new Map<string, Model[]>();

  /** Throws `E_USAGE` when one name and version is there twice. */
  constructor(models: readonly Model[]) {
    for (const model of models) {
      const versions = this.#versions.get(model.name) ?? [];
      if (versions.some((other) => other.version === model.version)) {
        throw new DeployError("E_USAGE", `Cannot serve ${model.name}@${model.version}: it is there twice`);
      }
      versions.push(model);
      versions.sort((a, b) => b.version.localeCompare(a.version, "en", { numeric: true }));
      this.#versions.set(model.name, versions);
    }
  }

  get all(): Model[] {
    return [...this.#versions.values()].flat();
  }

  /** The model of that version, the newest when none is named; throws the problem `model-unknown`. */
  find(name: string, version?: string): Model {
    const versions = this.#versions.get(name);
    if (versions === undefined) {
      const known = [...this.#versions.keys()].join(", ");
      throw new Problem("model-unknown", `There is no model ${quote(name)}; known: ${known}`);
    }
    const found = version === undefined ? versions[0] : versions.find((model) => model.version === version);
    if (found !== undefined) return found;
    const known = versions.map((model) => model.version).join(", ");
    throw new Problem("model-unknown", `Model ${name} has no version ${quote(version ?? "")}; known: ${known}`);
  }
}
