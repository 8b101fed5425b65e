import type { ErrorCode } from "../spec/error.ts";
import type { Verdict } from "../spec/verdict.ts";

/** The exit codes of every command. */
export const exitCodes = {
  done: 0,
  bug: 1,
  usage: 2,
  gateFailed: 3,
  inconclusive: 4,
  notMeasured: 5,
  rolledBack: 6,
  leaseHeld: 7,
  interrupted: 130,
} as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** The exit code of a gate's verdict. */
export function exitOfVerdict(verdict: Verdict): ExitCode {
  switch (verdict.kind) {
    case "pass":
      return exitCodes.done;
    case "fail":
      return exitCodes.gateFailed;
    case "inconclusive":
      return exitCodes.inconclusive;
    case "error":
      return exitCodes.notMeasured;
  }
}

/** The exit code of an expected failure. */
export function exitOfError(code: ErrorCode): ExitCode {
  switch (code) {
    case "E_USAGE":
    case "E_FILE":
      return exitCodes.usage;
    case "E_DIGEST":
    case "E_GATE":
      return exitCodes.gateFailed;
    case "E_TOOL":
    case "E_STATE":
      return exitCodes.notMeasured;
    case "E_LEASE":
      return exitCodes.leaseHeld;
  }
}
