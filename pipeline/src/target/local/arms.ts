import type { SiteWeights } from "../../spec/site.ts";
import { chooseSticky } from "./sticky.ts";
import { takesRequests, type Upstream } from "./upstream.ts";

type Arm = { id: string; upstream: Upstream; weight: number };

/** Requests that may wait for a revision at one time; each may hold a body in memory. */
const maxWaiting = 1_000;

/** The revisions that the router knows, and each one's share of new requests. */
export class Arms {
  /** Where requests go that no revision with weight can take. */
  stable: string | undefined;
  readonly #upstreams = new Map<string, Upstream>();
  /** Those with weight, in the order of the draw. */
  #arms: Arm[] = [];
  #weights: SiteWeights = {};
  #waiting = 0;
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
      return upstream === undefined || weight === 0 ? [] : [{ id, upstream, weight }];
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

  /** The revision that clients with this key stay with. */
  drawFor(key: string): Upstream | undefined {
    return chooseSticky(key, this.#arms)?.upstream;
  }

  /** Percent of traffic that revisions other than `upstream` could take. */
  weightWithout(upstream: Upstream): number {
    return this.#spares(upstream).reduce((sum, { weight }) => sum + weight, 0);
  }

  /** A revision other than `tried` that takes requests: the one with the largest weight, else stable. */
  spare(tried: Upstream): Upstream | undefined {
    const best = this.#spares(tried).sort((a, b) => b.weight - a.weight)[0];
    if (best !== undefined) return best.upstream;
    const stable = this.stable === undefined ? undefined : this.#upstreams.get(this.stable);
    return stable !== undefined && stable !== tried && takesRequests(stable) ? stable : undefined;
  }

  /** Tells those who wait that a revision takes requests now. */
  wake(): void {
    this.#awake.resolve();
    this.#awake = Promise.withResolvers<void>();
  }

  /**
   * Waits until a spare takes requests, or `tried` has another process than the one of `generation`, which was tried.
   * Undefined when neither comes within `ms`, or too many wait already.
   */
  async await(tried: Upstream, generation: number, ms: number): Promise<Upstream | undefined> {
    const deadline = performance.now() + ms;
    for (;;) {
      const isBack = tried.base !== undefined && tried.generation !== generation;
      const usable = this.spare(tried) ?? (isBack ? tried : undefined);
      const leftMs = deadline - performance.now();
      if (usable !== undefined || leftMs <= 0 || this.#waiting >= maxWaiting) return usable;
      await this.#wakeOr(leftMs);
    }
  }

  #spares(tried: Upstream): Arm[] {
    return this.#arms.filter(({ upstream }) => upstream !== tried && takesRequests(upstream));
  }

  async #wakeOr(ms: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, ms);
    });
    this.#waiting += 1;
    await Promise.race([this.#awake.promise, timeout]);
    this.#waiting -= 1;
    clearTimeout(timer);
  }
}
