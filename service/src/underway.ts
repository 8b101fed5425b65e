import type { MiddlewareHandler } from "hono";
import type { Env } from "./env.ts";
import { Problem } from "./problem.ts";

/** Refuses a request while `most` others are under way, before anything is spent on it. */
export function limitUnderWay(most: number): MiddlewareHandler<Env> {
  let underWay = 0;
  return async (_, next) => {
    if (underWay >= most) {
      const headers = { "retry-after": "1" };
      throw new Problem("server-full", "Cannot take the request: too many are under way", { headers });
    }
    underWay += 1;
    try {
      await next();
    } finally {
      underWay -= 1;
    }
  };
}
