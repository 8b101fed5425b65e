import { z } from "zod";
import type { Opened } from "../decide/state.ts";
import { weightsOf } from "../decide/weights.ts";
import type { Action, Entry, Event } from "../spec/journal.ts";
import { explain } from "../spec/verdict.ts";

/** Percent of traffic from `seconds` on. */
export const WeightChange = z.strictObject({
  seconds: z.number().nonnegative(),
  canary: z.int().min(0).max(100),
  baseline: z.int().min(0).max(100),
  stable: z.int().min(0).max(100),
});
export type WeightChange = z.infer<typeof WeightChange>;

/** One thing that was done, decided or asked for, in words. */
export const Happening = z.strictObject({ seconds: z.number().nonnegative(), words: z.string().min(1) });
export type Happening = z.infer<typeof Happening>;

/** Every change of weights, beginning with all on stable. */
export function weightChangesOf(entries: readonly Entry[]): WeightChange[] {
  const changes = timed(entries).flatMap(({ seconds, event }) => {
    const split = event.kind === "outcome" && event.error === undefined ? splitOf(event.action) : undefined;
    return split === undefined ? [] : [{ seconds, ...split }];
  });
  return [{ seconds: 0, canary: 0, baseline: 0, stable: 100 }, ...changes];
}

/** What happened, oldest first. */
export function happeningsOf(entries: readonly Entry[]): Happening[] {
  return timed(entries).flatMap(({ seconds, event }) => {
    const words = wordsOf(event);
    return words === undefined ? [] : [{ seconds, words }];
  });
}

function timed(entries: readonly Entry[]): { seconds: number; event: Event }[] {
  const start = Date.parse(entries[0]?.at ?? "");
  return entries.map(({ at, event }) => ({ seconds: Math.max(0, (Date.parse(at) - start) / 1000), event }));
}

function splitOf(action: Action): Omit<WeightChange, "seconds"> | undefined {
  if (action.do === "shiftAll") {
    const canary = action.to === "canary" ? 100 : 0;
    return { canary, baseline: 0, stable: 100 - canary };
  }
  if (action.do !== "setWeight") return undefined;
  const weights = weightsOf({ canary: "canary", baseline: "baseline", stable: "stable" }, action.weight);
  return { canary: weights.canary ?? 0, baseline: weights.baseline ?? 0, stable: weights.stable ?? 0 };
}

function wordsOf(event: Event): string | undefined {
  switch (event.kind) {
    case "opened":
      return `Rollout opened: ${event.candidate.id} against ${event.stable.id}${overrides(event)}`;
    case "outcome":
      return event.error === undefined ? doneWords(event.action) : `${doing(event.action)} failed: ${event.error}`;
    case "judged": {
      const reason = explain(event.verdict);
      return `Step ${event.step + 1} judged ${event.verdict.kind}${reason === "" ? "" : `: ${reason}`}`;
    }
    case "commanded":
      return `${capital(event.command.command)} asked for by ${event.command.by}: ${event.command.reason}`;
    case "paused":
      return `Paused: ${event.reason}`;
    case "closed":
      return `${capital(event.result)}: ${event.reason}`;
    case "intent":
    case "looked":
      return undefined;
  }
}

/** Whoever let a rollout begin that would have been refused, and why. */
function overrides({ override, budget }: Opened): string {
  const reasons = [
    ...(override === undefined ? [] : [`; begun all the same: ${override}`]),
    ...(budget?.override === undefined
      ? []
      : [`; error budget overridden by ${budget.override.by}: ${budget.override.reason}`]),
  ];
  return reasons.join("");
}

/** What an action left behind, in words. */
export function doneWords(action: Action): string {
  switch (action.do) {
    case "start":
      return `${capital(action.arm)} is ready`;
    case "replayGolden":
      return "Canary gave the golden answers";
    case "setWeight":
      return `Step ${action.step + 1}: canary has weight ${action.weight}`;
    case "shiftAll":
      return `All traffic is on ${action.to}`;
    case "proveReturn":
      return "The way back to stable is proven";
    case "setStable":
      return "Canary is what everything falls back to from now on";
    case "stop":
      return `${capital(action.arm)} drained and stopped`;
  }
}

function doing(action: Action): string {
  switch (action.do) {
    case "start":
      return `Starting ${action.arm}`;
    case "replayGolden":
      return "Replaying the golden cases on the canary";
    case "setWeight":
      return `Setting weight ${action.weight}`;
    case "shiftAll":
      return `Moving all traffic to ${action.to}`;
    case "proveReturn":
      return "Proving the way back to stable";
    case "setStable":
      return "Making the canary stable";
    case "stop":
      return `Stopping ${action.arm}`;
  }
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
