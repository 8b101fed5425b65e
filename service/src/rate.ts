import { RateLimiterMemory, RateLimiterRes } from "rate-limiter-flexible";
import { Problem } from "./problem.ts";

/** How many requests a principal may make in `seconds`. */
export type Rate = { requests: number; seconds: number };

/** Counts a request; returns the headers that tell what is left, or throws the problem `rate-limited` with them. */
export type RateLimit = (principal: string) => Promise<Record<string, string>>;

/** A fixed window for each principal, in this process. */
export function createRateLimit({ requests, seconds }: Rate): RateLimit {
  const limiter = new RateLimiterMemory({ points: requests, duration: seconds });
  return async (principal) => {
    try {
      return headersOf(requests, await limiter.consume(principal));
    } catch (left) {
      if (!(left instanceof RateLimiterRes)) throw left;
      const wait = secondsOf(left);
      const detail = `Cannot answer: more than ${requests} requests in ${seconds} s; try again in ${wait} s`;
      throw new Problem("rate-limited", detail, { headers: { ...headersOf(requests, left), "retry-after": wait } });
    }
  };
}

function headersOf(limit: number, left: RateLimiterRes): Record<string, string> {
  return {
    "ratelimit-limit": String(limit),
    "ratelimit-remaining": String(left.remainingPoints),
    "ratelimit-reset": secondsOf(left),
  };
}

function secondsOf(left: RateLimiterRes): string {
  return String(Math.max(1, Math.ceil(left.msBeforeNext / 1000)));
}
