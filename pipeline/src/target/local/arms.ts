import type { SiteWeights } from "../../spec/site.ts";
import type { Upstream } from "./upstream.ts";

type Arm = { upstream: Upstream; weight: number };

/** The revisions that the router knows, and each one's share of new requests. */
export class Arms {
  readonly #upstreams = new Map<string, Upstream>();
  /** Those with weight, in the order of the draw. */
  #arms: Arm[] = [];
  #weights: SiteWeights = {};
  #awake = Promise.withResolvers<void>();

  add(upstream: Upstream): void {
    this.#upstreams.set(upstream.id, upstream);
    this.weigh(this.#weights);
  }

  remove(id: string): void {
    this.#upstreams.delete(id);
    this.weigh(this.#weights);
  }

  find(id: string): Upstream | undefined {
    return this.#upstreams.get(id);
  }

  /** Replaces all weights at once: each request sees the old ones or the new ones. */
  weigh(weights: SiteWeights): void {
    this.#weights = weights;
    this.#arms = Object.entries(weights).flatMap(([id, weight]) => {
      const upstream = this.#upstreams.get(id);
      return upstream === undefined || weight === 0 ? [] : [{ upstream, weight }];
    });
  }

  /** Draws a revision by weight; each draw is independent of all others, so that arms differ by chance only. `random` is 0 <= x < 1. */
  draw(random: number): Upstream | undefined {
    let rest = random * 100;
    for (const { upstream, weight } of this.#arms) {
      rest -= weight;
      if (rest < 0) return upstream;
    }
    return this.#arms.at(-1)?.upstream;
  }

  /** A revision other than `tried` that takes requests, the one with the largest weight first. */
  spare(tried: Upstream): Upstream | undefined {
    const usable = this.#arms.filter(({ upstream }) => upstream !== tried && upstream.base !== undefined);
    return usable.sort((a, b) => b.weight - a.weight)[0]?.upstream;
  }

  /** Tells those who wait that a revision takes requests now. */
  wake(): void {
    this.#awake.resolve();
    this.#awake = Promise.withResolvers<void>();
  }

  /** Waits until a spare takes requests, or `tried` does so at another address than `base`; undefined when neither does within `ms`. */
  async await(tried: Upstream, base: string | undefined, ms: number): Promise<Upstream | undefined> {
    const deadline = performance.now() + ms;
    for (;;) {
      const isBack = tried.base !== undefined && tried.base !== base;
      const usable = this.spare(tried) ?? (isBack ? tried : undefined);
      const leftMs = deadline - performance.now();
      if (usable !== undefined || leftMs <= 0) return usable;
      await this.#wakeOr(leftMs);
    }
  }

  async #wakeOr(ms: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, ms);
    });
    await Promise.race([this.#awake.promise, timeout]);
    clearTimeout(timer);
  }
}
