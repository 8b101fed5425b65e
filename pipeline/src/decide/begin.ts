import type { FreezeWindow } from "../spec/freeze.ts";
import type { Strategy } from "../spec/policy.ts";
import type { Verdict } from "../spec/verdict.ts";
import { frozenBy } from "./freeze.ts";

/** What bears on whether a rollout may begin at `now` (milliseconds since the epoch). */
export interface Beginning {
  now: number;
  windows: readonly FreezeWindow[];
  strategy: Strategy;
  /** When this very release was last taken back, if it ever was. */
  abortedAt: number | undefined;
}

/** A rollout may not begin in a freeze window, nor right after the same release was taken back. */
export function mayBegin({ now, windows, strategy, abortedAt }: Beginning): Verdict {
  const breaches: string[] = [];
  const window = frozenBy(now, windows);
  if (window !== undefined) breaches.push(`frozen: ${window.reason} (${describe(window)})`);
  if (abortedAt !== undefined) {
    const waitMs = abortedAt + strategy.cooldownSeconds * 1000 - now;
    if (waitMs > 0) {
      const seconds = Math.ceil(waitMs / 1000);
      breaches.push(
        `this release was taken back at ${new Date(abortedAt).toISOString()}, cooldown ends in ${seconds} s`,
      );
    }
  }
  return breaches.length === 0 ? { kind: "pass" } : { kind: "fail", breaches };
}

function describe(window: FreezeWindow): string {
  if (window.kind === "dated") return `${window.from} to ${window.to} in ${window.zone}`;
  return `${window.days.join(", ")} ${window.from} to ${window.to} in ${window.zone}`;
}
