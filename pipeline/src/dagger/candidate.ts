import { createHash } from "node:crypto";
import { type Container, dag, type Secret, type Service } from "@dagger.io/dagger";
import { digestKey } from "../release/key.ts";
import type { KeyFile, Scope } from "../spec/keys.ts";

/** A running candidate, and the keys that it lets in. */
export type Candidate = { service: Service; key: Secret; limitedKey: Secret };

const port = 8080;

/** Where stage programs find a candidate that is bound as `candidate`. */
export const candidateUrl = `http://candidate:${port}`;

/**
 * The very image as a service, with two keys of its own. It is reached by this session's containers only, and its keys
 * are made from `seed`, so that a stage on the same image is the same work for the engine's cache.
 */
export function candidateOf(image: Container, seed: string): Candidate {
  const key = keyOf("engine", seed);
  const limitedKey = keyOf("limited", seed);
  const entry = (id: string, text: string, scopes: Scope[]) => ({ id, digest: digestKey(text), scopes });
  const file: KeyFile = {
    schema: "sluice/keys/v1",
    keys: [entry("engine", key, ["predict", "read", "metrics"]), entry("limited", limitedKey, ["read"])],
  };
  const keys = dag.directory().withNewFile("keys.json", JSON.stringify(file)).file("keys.json");
  return {
    service: image
      .withMountedFile("/run/sluice/keys.json", keys)
      .withExposedPort(port)
      .asService({ useEntrypoint: true }),
    key: dag.setSecret(`key of ${seed}`, key),
    limitedKey: dag.setSecret(`limited key of ${seed}`, limitedKey),
  };
}

function keyOf(id: string, seed: string): string {
  return `sluice_${id}_${createHash("sha256").update(`${id} of ${seed}`).digest("base64url").slice(0, 32)}`;
}
