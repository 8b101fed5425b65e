import { DeployError } from "../../spec/error.ts";
import type { Samples, Weights } from "../../spec/sample.ts";
import type { Revision, SiteFile, SiteState, SiteWeights, StartRevision } from "../../spec/site.ts";
import { Arms } from "./arms.ts";
import { Meter } from "./meter.ts";
import type { SitePaths } from "./paths.ts";
import { keepFile, keepSamples } from "./state.ts";
import { Supervisor } from "./supervisor.ts";

/** The site's rules: what may be changed when, and that it is on the disk before it is true. */
export class Site {
  readonly arms = new Arms();
  readonly meter = new Meter();
  readonly #supervisor: Supervisor;
  readonly #paths: SitePaths;
  #file: SiteFile;
  #isHandedOver = false;
  #turn: Promise<void> = Promise.resolve();
  #writing: Promise<void> = Promise.resolve();

  constructor(file: SiteFile, paths: SitePaths) {
    this.#file = file;
    this.#paths = paths;
    this.#supervisor = new Supervisor(this.arms, {
      paths,
      workers: file.workers,
      changed: () => void this.#keep().catch((error: unknown) => console.error(error)),
      ready: () => this.arms.wake(),
    });
  }

  /** Brings back weights, samples and revisions of an earlier site. */
  async resume(samples: Samples): Promise<void> {
    this.meter.restore(samples);
    this.#weigh(this.#file.weights);
    this.arms.stable = this.#file.stable;
    await this.#supervisor.resume(this.#file.revisions);
  }

  /** Takes the port that the router got, for all later starts. */
  async listensOn(port: number): Promise<void> {
    await this.#keep({ port });
  }

  show(): SiteState {
    const { host, port, fence, stable, weights } = this.#file;
    const address = `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
    const revisions = this.#supervisor.list();
    return { address, pid: process.pid, fence, weights, revisions, ...(stable === undefined ? {} : { stable }) };
  }

  /** Samples so far. They are kept before they are told: after a crash no count is smaller than one that was told. */
  async samples(): Promise<Samples> {
    const samples = this.meter.read();
    await keepSamples(this.#paths.samples, samples);
    return samples;
  }

  async writeWeights(weights: Weights, fence: number): Promise<void> {
    await this.#inTurn(async () => {
      await this.#admit(fence, "write weights");
      for (const [id, weight] of Object.entries(weights)) {
        if (weight > 0) await this.#demandReady(id, `give revision ${id} weight ${weight}`);
      }
      await this.#keep({ weights });
      this.#weigh(weights);
    });
  }

  async writeStable(id: string, fence: number): Promise<void> {
    await this.#inTurn(async () => {
      await this.#admit(fence, `make revision ${id} stable`);
      await this.#demandReady(id, `make revision ${id} stable`);
      await this.#keep({ stable: id });
      this.arms.stable = id;
    });
  }

  async start(id: string, wanted: StartRevision, fence: number): Promise<Revision> {
    await this.#inTurn(() => this.#admit(fence, `start revision ${id}`));
    const revision = await this.#supervisor.start(id, wanted);
    await this.#keep();
    return revision;
  }

  async stop(id: string, drainSeconds: number, fence: number): Promise<void> {
    const { ended } = await this.#inTurn(async () => {
      await this.#admit(fence, `stop revision ${id}`);
      const weight = new Map(Object.entries(this.#file.weights)).get(id) ?? 0;
      if (weight > 0)
        throw new DeployError("E_STATE", `Cannot stop revision ${id}: its weight is ${weight}, expected 0`);
      if (id === this.#file.stable) throw new DeployError("E_STATE", `Cannot stop revision ${id}: it is stable`);
      return { ended: this.#supervisor.stop(id, drainSeconds) }; // draining from here on: no weight may come
    });
    await ended;
    this.meter.forget(id);
    await this.#keep();
  }

  /** Ends every revision. They come back with the next site. */
  async stopAll(drainSeconds: number): Promise<void> {
    this.arms.weigh({}); // who comes now is told so, and does not wait for a revision to be back
    await this.#supervisor.stopAll(drainSeconds);
    await this.#keep();
  }

  /** Lets another site take over: from now on nothing is changed, kept or started here. Throws `E_STATE` in the middle of something. */
  async handOver(): Promise<void> {
    await this.#inTurn(async () => {
      this.#supervisor.release();
      await this.#keep();
      this.#isHandedOver = true;
    });
    await this.samples();
  }

  /** Goes on after all, when the other one did not come up. */
  takeBack(): void {
    this.#isHandedOver = false;
    this.#supervisor.reclaim();
  }

  /** Refuses a holder that was overtaken; remembers the newest one at once. */
  async #admit(fence: number, action: string): Promise<void> {
    if (this.#isHandedOver)
      throw new DeployError("E_TOOL", `Cannot ${action}: the site is being replaced; next: try again`);
    const newest = this.#file.fence;
    if (fence < newest) {
      throw new DeployError("E_LEASE", `Cannot ${action}: fence is ${fence}, a later holder wrote with ${newest}`);
    }
    if (fence > newest) await this.#keep({ fence });
  }

  /** Waits for a revision that is being brought back. Stable is never refused: all else may depend on going back to it. */
  async #demandReady(id: string, action: string): Promise<void> {
    const state = () => this.#supervisor.find(id)?.state;
    if (state() !== undefined && id === this.#file.stable) return;
    if (state() === "failed" || state() === "starting") await this.#supervisor.whenReady(id);
    if (state() === "ready") return;
    throw new DeployError("E_STATE", `Cannot ${action}: it is ${state() ?? "unknown"}, expected ready`);
  }

  #weigh(weights: SiteWeights): void {
    for (const id of Object.keys(weights)) this.meter.open(id);
    this.arms.weigh(weights);
  }

  /** Writes the state with `change`; only what is on the disk becomes true. */
  #keep(change: Partial<SiteFile> = {}): Promise<void> {
    const kept = this.#writing.then(async () => {
      if (this.#isHandedOver) return; // the file is the other one's
      const file = { ...this.#file, ...change, revisions: this.#supervisor.keep() };
      await keepFile(this.#paths.file, file);
      this.#file = file;
    });
    this.#writing = kept.catch(() => {});
    return kept;
  }

  /** One change at a time: nothing shifts between a check and what follows from it. */
  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(change);
    this.#turn = result.then(
      () => {},
      () => {},
    );
    return result;
  }
}
