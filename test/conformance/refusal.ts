import { expect } from "bun:test";
import { DeployError, type ErrorCode } from "../../pipeline/src/spec/error.ts";

/** The `DeployError` that `action` is expected to fail with. */
export async function refusalOf(action: Promise<unknown>, code: ErrorCode): Promise<DeployError> {
  const error = await action.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof DeployError)) throw new Error(`Expected a DeployError ${code}, got ${String(error)}`);
  expect(error.code).toBe(code);
  return error;
}
