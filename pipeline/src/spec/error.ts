/** Why a command could not do its work; each code has one exit code (see `decide/exit.ts`). */
export type ErrorCode =
  | "E_USAGE" // wrong flag, unknown name
  | "E_FILE" // missing, unreadable or invalid file
  | "E_DIGEST" // bytes are not those that were approved
  | "E_GATE" // a gate said no
  | "E_TOOL" // a tool is missing or broke: nothing was measured
  | "E_LEASE" // another rollout holds the lease
  | "E_STATE"; // the target is not in the state that the action needs

/** An expected failure: one line for the user, no stack. Anything else that is thrown is a bug. */
export class DeployError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "DeployError";
    this.code = code;
  }
}
