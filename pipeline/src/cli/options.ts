import { resolve } from "node:path";
import { z } from "zod";
import { DeployError } from "../spec/error.ts";

/** Options that every command takes. */
const Common = z.object({
  source: z.string().min(1),
  state: z.string().min(1).optional(),
  environment: z.string().min(1),
  signingKey: z.string().min(1).optional(),
  json: z.boolean().optional(),
});

/** Where a command works: absolute paths. */
export interface Place {
  source: string;
  modelsDir: string;
  policiesDir: string;
  stateDir: string;
  environment: string;
  signingKey?: string | undefined;
}

/** Reads the common options. `SLUICE_HOME` names the state folder where `--state` does not. */
export function placeOf(options: Record<string, unknown>): Place {
  const { source, state, environment, signingKey } = parseOptions(Common, options);
  const root = resolve(source);
  return {
    source: root,
    modelsDir: resolve(root, "models"),
    policiesDir: resolve(root, "policies"),
    stateDir: resolve(state ?? process.env.SLUICE_HOME ?? resolve(root, ".sluice")),
    environment,
    signingKey,
  };
}

/** Parses a command's own options into `schema`, or throws `E_USAGE`. */
export function parseOptions<S extends z.ZodType>(schema: S, options: Record<string, unknown>): z.output<S> {
  const result = schema.safeParse(options);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const flag = String(issue?.path[0] ?? "").replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  throw new DeployError("E_USAGE", `Cannot use --${flag}: ${issue?.message ?? "invalid"}`);
}
