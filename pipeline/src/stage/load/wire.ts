import { z } from "zod";
import { Latency } from "../../spec/sample.ts";
import type { Plan, Share } from "./driver.ts";

const Count = z.int().nonnegative();

/** What a driver process prints when it is done, per target. */
export const TallyWire = z.strictObject({
  planned: Count,
  dropped: Count,
  requests: Count,
  errorKinds: z.record(z.string(), Count),
  response: Latency,
  service: Latency,
  lag: Latency,
  series: z.array(z.tuple([Count, z.number().nonnegative()])),
});

const RequestWire = z.strictObject({
  path: z.string().startsWith("/"),
  contentType: z.string(),
  body: z.string(),
  encoding: z.enum(["utf8", "base64"]),
});

const PhaseWire = z.strictObject({
  seconds: z.number().positive(),
  fromPerSecond: z.number().nonnegative(),
  toPerSecond: z.number().nonnegative(),
  counted: z.boolean(),
});

/** What a driver process reads as its first line: it holds the key, so it goes through a pipe and not an argument. */
export const OrderWire = z.strictObject({
  plan: z.strictObject({
    targets: z.array(z.strictObject({ url: z.url(), key: z.string() })).min(1),
    requests: z.array(RequestWire).min(1),
    phases: z.array(PhaseWire).min(1),
    maxInFlight: z.int().positive(),
    timeoutMs: z.number().positive(),
    firstRound: Count,
  }),
  share: z.strictObject({ index: Count, of: z.int().positive(), startAt: z.number() }),
});

export function orderToWire(plan: Plan, share: Share): z.infer<typeof OrderWire> {
  const requests = plan.requests.map(({ body, ...request }) =>
    typeof body === "string"
      ? { ...request, body, encoding: "utf8" as const }
      : { ...request, body: Buffer.from(body).toString("base64"), encoding: "base64" as const },
  );
  return { plan: { ...plan, requests, firstRound: plan.firstRound ?? 0 }, share };
}

export function orderFromWire(wire: z.infer<typeof OrderWire>): { plan: Plan; share: Share } {
  const requests = wire.plan.requests.map(({ body, encoding, ...request }) => ({
    ...request,
    body: encoding === "utf8" ? body : new Uint8Array(Buffer.from(body, "base64")),
  }));
  return { plan: { ...wire.plan, requests }, share: wire.share };
}
