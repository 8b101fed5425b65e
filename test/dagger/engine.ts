import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

const home = join(import.meta.dirname, "../..");

/** How a call ended. `log` is what the engine told while it ran. */
export type Call = { exit: number | null; stdout: string; log: string };

/**
 * Why the engine's tests cannot run: a Dagger engine is in no package registry, so that even CI may lack one. They need
 * the `dagger` program, an engine named by its own variable, and a registry without TLS that the engine pushes to.
 */
export function whyNoEngine(): string | undefined {
  if (Bun.which("dagger") === null) return "dagger is not on the PATH";
  if (process.env._EXPERIMENTAL_DAGGER_RUNNER_HOST === undefined)
    return "_EXPERIMENTAL_DAGGER_RUNNER_HOST names no engine";
  if (process.env.SLUICE_TEST_REGISTRY === undefined) return "SLUICE_TEST_REGISTRY names no registry";
  return undefined;
}

/** Runs `dagger <args>` in Sluice's own checkout, as a user would. */
export async function dagger(args: readonly string[], env: Record<string, string> = {}): Promise<Call> {
  const child = spawn("dagger", ["--progress", "plain", ...args], { cwd: home, env: { ...process.env, ...env } });
  const call = { stdout: "", log: "" };
  child.stdout.on("data", (chunk) => {
    call.stdout += chunk;
  });
  child.stderr.on("data", (chunk) => {
    call.log += chunk;
  });
  const [exit] = await once(child, "close");
  return { exit: typeof exit === "number" ? exit : null, ...call };
}
