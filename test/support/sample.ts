import type { Latency, Sample } from "../../pipeline/src/spec/sample.ts";

/** Answers of one arm at one look: `slow` of them in `at` milliseconds, the others in 10. */
export function aSample({
  requests = 20,
  errors = 0,
  slow = 0,
  at = 50,
}: {
  requests?: number;
  errors?: number;
  slow?: number;
  at?: number;
} = {}): Sample {
  const latency: Latency = [
    ...(requests > slow ? ([[10_000, requests - slow]] as Latency) : []),
    ...(slow > 0 ? ([[at * 1000, slow]] as Latency) : []),
  ];
  return { requests, errors, clientErrors: 0, latency };
}
