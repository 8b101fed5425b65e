import { dirname } from "node:path";
import { DeployError } from "../../spec/error.ts";
import type { KeptRevision, Revision, StartRevision } from "../../spec/site.ts";
import type { Arms } from "./arms.ts";
import { SupervisedRevision, type Surroundings } from "./revision.ts";
import { findStrays } from "./strays.ts";

/** All revisions of the site, by id; each one's upstream is in `arms` as long as it is here. */
export class Supervisor {
  readonly #revisions = new Map<string, SupervisedRevision>();
  readonly #starting = new Map<string, Promise<void>>();
  readonly #stopping = new Map<string, Promise<void>>();
  readonly #arms: Arms;
  readonly #surroundings: Surroundings;

  constructor(arms: Arms, surroundings: Surroundings) {
    this.#arms = arms;
    this.#surroundings = surroundings;
  }

  list(): Revision[] {
    return [...this.#revisions.values()].map((revision) => revision.show());
  }

  keep(): KeptRevision[] {
    return [...this.#revisions.values()].map((revision) => revision.keep());
  }

  find(id: string): Revision | undefined {
    return this.#revisions.get(id)?.show();
  }

  /** Waits until a known revision that is being brought back is ready; throws `E_STATE` when it does not become so. */
  async whenReady(id: string): Promise<void> {
    await this.#revisions.get(id)?.whenReady();
  }

  /** Starts revision `id` or waits with whoever started it; throws `E_STATE` when it does not become ready. */
  async start(id: string, wanted: StartRevision): Promise<Revision> {
    await this.#stopping.get(id);
    const known = this.#revisions.get(id);
    if (known !== undefined && known.wanted.releaseId !== wanted.releaseId) {
      throw new DeployError(
        "E_STATE",
        `Cannot start revision ${id}: it serves ${known.wanted.releaseId}, asked for ${wanted.releaseId}`,
      );
    }
    const revision = known ?? this.#add(id, wanted);
    await (this.#starting.get(id) ?? (known === undefined ? this.#launch(revision) : revision.whenReady()));
    return revision.show();
  }

  /** Drains and ends revision `id`, and forgets it; an unknown one is done already. */
  async stop(id: string, drainSeconds: number): Promise<void> {
    const revision = this.#revisions.get(id);
    if (revision === undefined) return;
    const stopping = this.#stopping.get(id) ?? revision.stop(drainSeconds);
    this.#stopping.set(id, stopping);
    await stopping;
    this.#stopping.delete(id);
    this.#remove(id);
  }

  /** Drains and ends every revision; none is forgotten. */
  async stopAll(drainSeconds: number): Promise<void> {
    await Promise.all([...this.#revisions.values()].map((revision) => revision.stop(drainSeconds)));
  }

  /** Brings back what an earlier site kept: processes that still live are taken over, the others started in the background. */
  async resume(kept: KeptRevision[]): Promise<void> {
    const adopted = await Promise.all(
      kept.map(async ({ id, releaseId, releaseDir, readySeconds, ...process }) => {
        const revision = this.#add(id, { releaseId, releaseDir, readySeconds });
        return { revision, isAdopted: await revision.adopt(process) };
      }),
    );
    await this.#endStrays();
    for (const { revision, isAdopted } of adopted) if (!isAdopted) revision.restart();
  }

  /** Ends what no revision is: else it would go on for ever, unseen. */
  async #endStrays(): Promise<void> {
    const ours = new Set(this.list().map(({ pid }) => pid));
    const strays = await findStrays(dirname(this.#surroundings.paths.readyFileOf("any")));
    for (const pid of strays) if (!ours.has(pid)) process.kill(pid, "SIGKILL");
  }

  /** Lets another supervisor have the processes. Throws `E_STATE` when one is about to come or go. */
  release(): void {
    for (const { id, state } of this.list()) {
      if (state === "ready" || state === "failed") continue;
      throw new DeployError("E_STATE", `Cannot hand over revision ${id}: it is ${state}; next: try again`);
    }
    for (const revision of this.#revisions.values()) revision.release();
  }

  /** Takes the processes back. */
  reclaim(): void {
    for (const revision of this.#revisions.values()) revision.reclaim();
  }

  #add(id: string, wanted: StartRevision): SupervisedRevision {
    const revision = new SupervisedRevision(id, wanted, this.#surroundings);
    this.#revisions.set(id, revision);
    this.#arms.add(revision.upstream);
    return revision;
  }

  async #launch(revision: SupervisedRevision): Promise<void> {
    const starting = revision.start();
    this.#starting.set(revision.id, starting);
    try {
      await starting;
    } catch (error) {
      this.#remove(revision.id);
      throw error;
    } finally {
      this.#starting.delete(revision.id);
    }
  }

  #remove(id: string): void {
    this.#revisions.delete(id);
    this.#arms.remove(id);
    this.#surroundings.changed();
  }
}
