import type { Clock } from "../../pipeline/src/rollout/ports.ts";

/** Time that passes only when somebody sleeps or `advance`s it. */
export class VirtualClock implements Clock {
  #now = Date.parse("2026-01-01T00:00:00Z");

  now(): number {
    return this.#now;
  }

  sleep(ms: number): Promise<void> {
    this.#now += ms;
    return Promise.resolve();
  }

  advance(ms: number): void {
    this.#now += ms;
  }
}
