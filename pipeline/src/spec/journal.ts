import { z } from "zod";
import { BudgetReading } from "./budget.ts";
import { Digest } from "./digest.ts";
import { Slo, Strategy } from "./policy.ts";
import { Release } from "./release.ts";
import { Answers, Samples } from "./sample.ts";
import { Verdict } from "./verdict.ts";

/** One change to the target. Every action is idempotent: doing it twice leaves what doing it once left. */
export const Action = z.discriminatedUnion("do", [
  z.strictObject({ do: z.literal("start"), arm: z.enum(["canary", "baseline"]) }),
  z.strictObject({ do: z.literal("replayGolden") }),
  z.strictObject({ do: z.literal("setWeight"), step: z.int().nonnegative(), weight: z.int().min(1).max(100) }),
  z.strictObject({ do: z.literal("shiftAll"), to: z.enum(["canary", "stable"]) }),
  z.strictObject({ do: z.literal("proveReturn") }),
  z.strictObject({ do: z.literal("setStable") }),
  z.strictObject({ do: z.literal("stop"), arm: z.enum(["canary", "baseline", "stable"]) }),
]);
export type Action = z.infer<typeof Action>;

/** What an operator asked for. */
export const Command = z.strictObject({
  command: z.enum(["pause", "resume", "promote", "abort", "approve"]),
  by: z.string().min(1),
  reason: z.string().min(1),
});
export type Command = z.infer<typeof Command>;

/** Revision ids of the three arms. */
export const Arms = z.strictObject({ stable: z.string(), canary: z.string(), baseline: z.string() });
export type Arms = z.infer<typeof Arms>;

/** What a rollout was begun with; it keeps this to its end, whatever becomes of the policy files. */
const Opened = z.strictObject({
  kind: z.literal("opened"),
  rollout: z.string().min(1),
  candidate: Release,
  stable: Release,
  arms: Arms,
  strategy: Strategy,
  slo: Slo,
  /** Why it was begun in a freeze window or a cooldown. */
  override: z.string().min(1).exactOptional(),
  /** What was left of the error budget, and who let it begin all the same where that was nothing. */
  budget: BudgetReading.exactOptional(),
});

/** How a rollout ended. */
export const Result = z.enum(["promoted", "aborted"]);
export type Result = z.infer<typeof Result>;

const Event = z.discriminatedUnion("kind", [
  Opened,
  z.strictObject({ kind: z.literal("intent"), action: Action }),
  z.strictObject({ kind: z.literal("outcome"), action: Action, error: z.string().optional() }),
  z.strictObject({ kind: z.literal("looked"), step: z.int().nonnegative(), samples: Samples, answers: Answers }),
  z.strictObject({ kind: z.literal("judged"), step: z.int().nonnegative(), verdict: Verdict, figure: z.string() }),
  z.strictObject({ kind: z.literal("commanded"), command: Command }),
  z.strictObject({ kind: z.literal("paused"), reason: z.string().min(1) }),
  z.strictObject({ kind: z.literal("closed"), result: Result, reason: z.string().min(1) }),
]);
export type Event = z.infer<typeof Event>;

/** One line of a journal: `seq` counts from 0, `previous` is the digest of the line before, `at` is RFC 3339. */
export const Entry = z.strictObject({
  seq: z.int().nonnegative(),
  previous: Digest,
  at: z.iso.datetime(),
  fence: z.int().nonnegative(),
  event: Event,
});
export type Entry = z.infer<typeof Entry>;
