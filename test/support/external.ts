import { test } from "bun:test";
import { existsSync } from "node:fs";

/** `test` where `program` is installed. Elsewhere it is skipped by name on a laptop, and fails in CI. */
export function testWith(program: string): typeof test | typeof test.skip {
  return isInstalled(program) ? test : test.skip;
}

/** Whether a model is there that is not committed; in CI it has to be. */
export function isMade(dir: string): boolean {
  if (existsSync(dir)) return true;
  if (process.env.CI === "true") throw new Error(`Cannot test: ${dir} is missing; next: scripts/ci-models.sh`);
  return false;
}

/** Whether `program` is on the PATH; in CI it has to be. */
export function isInstalled(program: string): boolean {
  if (Bun.which(program) !== null) return true;
  if (process.env.CI === "true") throw new Error(`Cannot test: ${program} is not on the PATH; next: install it`);
  return false;
}
