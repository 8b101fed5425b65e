import type { Router, Runtime } from "../../pipeline/src/rollout/ports.ts";
import { DeployError } from "../../pipeline/src/spec/error.ts";
import { emptySample, type Sample, type Samples } from "../../pipeline/src/spec/sample.ts";
import type { Revision, SiteWeights, StartRevision } from "../../pipeline/src/spec/site.ts";

/** What a test can make the fake do. */
export type FakeScript = {
  /** Called at each `readSamples`, before it is answered: the place to `serve` traffic. */
  onRead?: (target: FakeTarget) => void;
  /** Why a start fails, or undefined to let it succeed. */
  failStart?: (id: string, wanted: StartRevision) => string | undefined;
  /** Called before every call, by name; throw to break the target. */
  onCall?: (name: string) => void;
  /** 0 <= x < 1. */
  random?: () => number;
};

/** A target in memory. It passes the conformance suites, so that what is tested on it holds for the real ones. */
export class FakeTarget implements Router, Runtime {
  readonly calls: string[] = [];
  readonly #script: FakeScript;
  readonly #revisions = new Map<string, Revision>();
  readonly #samples = new Map<string, Sample>();
  #weights: SiteWeights = {};
  #stable: string | undefined;
  #pids = 1_000;

  constructor(script: FakeScript = {}) {
    this.#script = script;
  }

  /** Counts answers for a revision as if traffic had come; latencies in microseconds, ascending. */
  serve(id: string, { requests = 0, errors = 0, clientErrors = 0, latency = [] }: Partial<Sample>): void {
    const before = this.#samples.get(id) ?? emptySample;
    const counts = new Map(before.latency);
    for (const [edge, count] of latency) counts.set(edge, (counts.get(edge) ?? 0) + count);
    this.#samples.set(id, {
      requests: before.requests + requests,
      errors: before.errors + errors,
      clientErrors: before.clientErrors + clientErrors,
      latency: [...counts].sort(([a], [b]) => a - b),
    });
  }

  /** Sends requests by weight; each is answered in `micros`. Returns how many each revision got. */
  send(requests: number, micros = 1_000): Map<string, number> {
    const answered = new Map<string, number>();
    for (let request = 0; request < requests; request += 1) {
      const id = this.#draw((this.#script.random ?? Math.random)() * 100);
      if (id === undefined) continue;
      answered.set(id, (answered.get(id) ?? 0) + 1);
    }
    for (const [id, count] of answered) this.serve(id, { requests: count, latency: [[micros, count]] });
    return answered;
  }

  async readWeights(): Promise<SiteWeights> {
    this.#called("readWeights");
    return this.#weights;
  }

  async writeWeights(weights: Record<string, number>): Promise<void> {
    this.#called("writeWeights");
    for (const [id, weight] of Object.entries(weights)) {
      if (weight > 0) this.#demandReady(id);
    }
    for (const id of Object.keys(weights)) this.serve(id, {});
    this.#weights = { ...weights };
  }

  async readSamples(): Promise<Samples> {
    this.#called("readSamples");
    this.#script.onRead?.(this);
    return Object.fromEntries(this.#samples);
  }

  async list(): Promise<Revision[]> {
    this.#called("list");
    return [...this.#revisions.values()];
  }

  async start(id: string, wanted: StartRevision): Promise<Revision> {
    this.#called("start");
    const known = this.#revisions.get(id);
    if (known !== undefined && known.releaseId !== wanted.releaseId) {
      throw new DeployError("E_STATE", `Cannot start revision ${id}: it serves ${known.releaseId}`);
    }
    if (known !== undefined) return known;
    const why = this.#script.failStart?.(id, wanted);
    if (why !== undefined) throw new DeployError("E_STATE", `Cannot start revision ${id}: ${why}`);
    this.#pids += 1;
    const revision = {
      id,
      releaseId: wanted.releaseId,
      state: "ready" as const,
      port: this.#pids,
      pid: this.#pids,
      restarts: 0,
    };
    this.#revisions.set(id, revision);
    return revision;
  }

  async stop(id: string): Promise<void> {
    this.#called("stop");
    const weight = new Map(Object.entries(this.#weights)).get(id) ?? 0;
    if (weight > 0) throw new DeployError("E_STATE", `Cannot stop revision ${id}: its weight is ${weight}, expected 0`);
    if (id === this.#stable) throw new DeployError("E_STATE", `Cannot stop revision ${id}: it is stable`);
    this.#revisions.delete(id);
    this.#samples.delete(id);
  }

  async addressOf(id: string): Promise<string> {
    this.#called("addressOf");
    return `http://127.0.0.1:${this.#demandReady(id).port}`;
  }

  async readStable(): Promise<string | undefined> {
    this.#called("readStable");
    return this.#stable;
  }

  async writeStable(id: string): Promise<void> {
    this.#called("writeStable");
    this.#demandReady(id);
    this.#stable = id;
  }

  #called(name: string): void {
    this.#script.onCall?.(name);
    this.calls.push(name);
  }

  #demandReady(id: string): Revision {
    const revision = this.#revisions.get(id);
    if (revision?.state === "ready") return revision;
    throw new DeployError(
      "E_STATE",
      `Cannot use revision ${id}: it is ${revision?.state ?? "unknown"}, expected ready`,
    );
  }

  #draw(place: number): string | undefined {
    let rest = place;
    for (const [id, weight] of Object.entries(this.#weights)) {
      rest -= weight;
      if (rest < 0) return id;
    }
    return undefined;
  }
}
