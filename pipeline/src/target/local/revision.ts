import { join } from "node:path";
import { DeployError } from "../../spec/error.ts";
import type { KeptRevision, Revision, StartRevision } from "../../spec/site.ts";
import { launch, revisionEnvironment } from "./launch.ts";
import { lastLines } from "./logtail.ts";
import type { SitePaths } from "./paths.ts";
import { startProbe } from "./probe.ts";
import { foundProcess, type Process } from "./process.ts";
import { clearReady, type ReadyFile, readReady, waitReady } from "./ready.ts";
import { connectUpstream, idle, newUpstream, type Upstream } from "./upstream.ts";

/** What a revision needs of its site. `changed` is told of every new process and port, `ready` when it takes requests. */
export type Surroundings = { paths: SitePaths; workers: number; changed: () => void; ready: () => void };

const firstBackoffMs = 100;
const maxBackoffMs = 10_000;
/** A process that lived this long is forgiven its earlier ends. */
const forgivenAfterMs = 30_000;
/** What a process may need after its own drain before it is killed. */
const killMarginSeconds = 2;

/**
 * One revision: its process, brought back on the same port when it ends unasked, and the upstream that the router sends
 * to.
 */
export class SupervisedRevision {
  readonly id: string;
  readonly wanted: StartRevision;
  readonly upstream: Upstream;
  #surroundings: Surroundings;
  #state: Revision["state"] = "starting";
  #process: Process | undefined;
  #port = 0;
  #restarts = 0;
  #failures = 0;
  #stopping = false;
  #released = false;
  #ready = Promise.withResolvers<void>();
  #backoff: ReturnType<typeof setTimeout> | undefined;

  constructor(id: string, wanted: StartRevision, surroundings: Surroundings) {
    this.id = id;
    this.wanted = wanted;
    this.upstream = newUpstream(id);
    this.#surroundings = surroundings;
  }

  show(): Revision {
    const { releaseId } = this.wanted;
    const pid = this.#process?.pid ?? 0;
    const state = this.#state === "ready" && !this.upstream.healthy ? "failed" : this.#state;
    return { id: this.id, releaseId, state, port: this.#port, pid, restarts: this.#restarts };
  }

  keep(): KeptRevision {
    const { pid = 0, started = "" } = this.#process ?? {};
    return { ...this.wanted, id: this.id, port: this.#port, pid, started };
  }

  /** Starts the process and returns when it is ready; a process that is not ready in time is killed: throws `E_STATE`. */
  async start(): Promise<void> {
    const { paths, workers } = this.#surroundings;
    const { releaseDir, readySeconds } = this.wanted;
    const readyFile = paths.readyFileOf(this.id);
    await clearReady(readyFile);
    this.#state = "starting";
    this.#process = await launch(join(releaseDir, "bundle", "main.js"), [], {
      cwd: releaseDir,
      log: paths.logOf(this.id),
      env: revisionEnvironment(this.id, releaseDir, { paths, workers, port: this.#port }),
    });
    this.#surroundings.changed();
    const ready = await waitReady(readyFile, this.#process, this.#stopping ? 0 : readySeconds);
    if (typeof ready === "string") throw await this.#giveUp(this.#process, ready);
    if (this.#stopping) throw await this.#giveUp(this.#process, "it is being stopped");
    this.#serve(this.#process, ready);
  }

  /** Waits for a revision that is being brought back; throws `E_STATE` when that takes longer than `readySeconds`. */
  async whenReady(): Promise<void> {
    const { readySeconds } = this.wanted;
    const timeout = new Promise<"late">((resolve) => setTimeout(() => resolve("late"), readySeconds * 1_000).unref());
    if ((await Promise.race([this.#ready.promise, timeout])) !== "late") return;
    throw await this.#unready(`it is ${this.#state}`);
  }

  /**
   * Goes on with a process that outlived its site; false when there is none. Its pid and start say that it is the one,
   * its ready file where it listens; whether it hangs is for the probe to see.
   */
  async adopt(kept: Pick<KeptRevision, "pid" | "started" | "port">): Promise<boolean> {
    this.#port = kept.port;
    const ready = await readReady(this.#surroundings.paths.readyFileOf(this.id));
    const process = foundProcess(kept.pid, kept.started);
    if (process === undefined || ready?.pid !== process.pid) return false;
    this.#process = process;
    this.#serve(process, ready);
    return true;
  }

  /** Starts a new process in the background, and again when it fails. */
  restart(): void {
    this.#restarts += 1;
    this.start().catch((error: unknown) => {
      if (!this.#stopping) this.#fall(error instanceof Error ? error.message : String(error));
    });
  }

  /** Takes no new requests, waits for those under way, ends the process: SIGTERM, and SIGKILL when that is not heard. */
  async stop(drainSeconds: number): Promise<void> {
    this.#stopping = true;
    this.#state = "draining";
    this.upstream.base = undefined;
    clearTimeout(this.#backoff);
    const deadline = performance.now() + drainSeconds * 1_000;
    await idle(this.upstream, drainSeconds);
    if (this.#process === undefined) return;
    const leftMs = Math.max(0, deadline - performance.now()) + killMarginSeconds * 1_000;
    await endProcess(this.#process, leftMs);
  }

  /** Leaves the process to another supervisor: whatever becomes of it, nothing is done here. */
  release(): void {
    this.#released = true;
    clearTimeout(this.#backoff);
  }

  /** Minds the process again; starts it when it ended meanwhile. */
  reclaim(): void {
    this.#released = false;
    if (this.#state === "failed") this.restart();
  }

  #serve(process: Process, { port }: ReadyFile): void {
    this.#port = port;
    this.#state = "ready";
    connectUpstream(this.upstream, `http://127.0.0.1:${port}`);
    const endProbe = startProbe(this.upstream, () => process.kill("SIGKILL"));
    this.#ready.resolve();
    this.#surroundings.changed();
    this.#surroundings.ready();
    const since = performance.now();
    void process.ended.then((how) => {
      endProbe();
      if (performance.now() - since > forgivenAfterMs) this.#failures = 0;
      if (!this.#stopping) this.#fall(`Revision ${this.id} ended with ${how}`);
    });
  }

  /** Takes the revision out of service, and starts it again after a pause that doubles with each failure. */
  #fall(why: string): void {
    const pauseMs = Math.min(maxBackoffMs, firstBackoffMs * 2 ** this.#failures);
    console.error(`${why}; it is ${this.#released ? "left to the next site" : `started again in ${pauseMs} ms`}`);
    this.upstream.base = undefined;
    this.#process = undefined;
    this.#ready = Promise.withResolvers<void>();
    this.#state = "failed";
    if (this.#released) return;
    this.#failures += 1;
    this.#backoff = setTimeout(() => this.restart(), pauseMs);
  }

  async #giveUp(process: Process, why: string): Promise<DeployError> {
    process.kill("SIGKILL");
    await process.ended;
    this.#state = "failed";
    this.#port = 0; // it may be that another process has taken it
    return this.#unready(why);
  }

  async #unready(why: string): Promise<DeployError> {
    const log = this.#surroundings.paths.logOf(this.id);
    const wanted = `expected ready within ${this.wanted.readySeconds} s`;
    const lines = await lastLines(log);
    const end = lines === "" ? `its log ${log} is empty` : `its log ${log} ends with:\n${lines}`;
    return new DeployError("E_STATE", `Cannot start revision ${this.id}: ${why}, ${wanted}; ${end}`);
  }
}

async function endProcess(process: Process, killAfterMs: number): Promise<void> {
  process.kill("SIGTERM");
  const timer = setTimeout(() => process.kill("SIGKILL"), killAfterMs);
  await process.ended;
  clearTimeout(timer);
}
