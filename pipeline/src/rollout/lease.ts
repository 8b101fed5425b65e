import { readdir, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { DeployError } from "../spec/error.ts";
import { Lease } from "../spec/lease.ts";
import { readJson } from "../spec/read.ts";
import { createFile, replaceFile } from "./durable.ts";
import type { Clock } from "./ports.ts";

/** How long a holder may be silent before another takes over. */
export const leaseMs = 15_000;

/**
 * One file for each fence, `lease.<fence>.json`: the largest is the lease. Creating the next number is atomic, so two
 * takers cannot both win, and a holder whose number is no longer the largest knows that it was overtaken.
 */
export class Leases {
  readonly #folder: string;
  readonly #clock: Clock;

  constructor(folder: string, clock: Clock) {
    this.#folder = folder;
    this.#clock = clock;
  }

  async acquire(holder: string): Promise<Lease> {
    const current = await this.read();
    if (current !== undefined && this.#isLive(current)) throw held(current);
    const lease = this.#until(holder, (current?.fence ?? 0) + 1);
    if (!(await createFile(this.#path(lease.fence), text(lease)))) throw held(await this.read());
    await this.#forgetBefore(lease.fence);
    return lease;
  }

  async renew(lease: Lease): Promise<Lease> {
    await this.check(lease);
    const renewed = this.#until(lease.holder, lease.fence);
    await replaceFile(this.#path(lease.fence), text(renewed));
    return renewed;
  }

  /** Gives the lease back; the file stays, so that fences go on growing. */
  async release(lease: Lease): Promise<void> {
    const now = new Date(this.#clock.now()).toISOString();
    if ((await this.read())?.fence !== lease.fence) return;
    await replaceFile(this.#path(lease.fence), text({ ...lease, expiresAt: now }));
  }

  /** Throws `E_LEASE` when somebody took over. */
  async check(lease: Lease): Promise<void> {
    const newest = (await this.#fences()).at(-1);
    if (newest !== lease.fence) throw held(await this.read());
  }

  /** The newest lease, live or not. */
  async read(): Promise<Lease | undefined> {
    const newest = (await this.#fences()).at(-1);
    return newest === undefined ? undefined : readJson(this.#path(newest), Lease);
  }

  /** The live lease. */
  async current(): Promise<Lease | undefined> {
    const newest = await this.read();
    return newest !== undefined && this.#isLive(newest) ? newest : undefined;
  }

  #isLive(lease: Lease): boolean {
    return Date.parse(lease.expiresAt) > this.#clock.now() && !isDeadHere(lease.holder);
  }

  #until(holder: string, fence: number): Lease {
    const now = this.#clock.now();
    return {
      holder,
      fence,
      renewedAt: new Date(now).toISOString(),
      expiresAt: new Date(now + leaseMs).toISOString(),
    };
  }

  async #fences(): Promise<number[]> {
    const names = await readdir(this.#folder).catch(() => []);
    const fences = names.map((name) => /^lease\.(\d+)\.json$/.exec(name)?.[1]).filter((found) => found !== undefined);
    return fences.map(Number).sort((a, b) => a - b);
  }

  async #forgetBefore(fence: number): Promise<void> {
    for (const old of await this.#fences()) if (old < fence) await rm(this.#path(old), { force: true });
  }

  #path(fence: number): string {
    return join(this.#folder, `lease.${fence}.json`);
  }
}

/** A holder's name that says where it runs, so that one killed on this machine need not be waited for. */
export function holderName(user: string): string {
  return `${user}@${hostname()}:${process.pid}`;
}

function isDeadHere(holder: string): boolean {
  const [, host, pid] = /^[^@]*@(.+):(\d+)$/.exec(holder) ?? [];
  if (host !== hostname() || pid === undefined) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "ESRCH";
  }
}

function held(lease: Lease | undefined): DeployError {
  const who = lease === undefined ? "somebody else" : `${lease.holder} (since ${lease.renewedAt})`;
  return new DeployError("E_LEASE", `Cannot take the rollout lease: ${who} holds it; next: sluice status --watch`);
}

function text(lease: Lease): string {
  return `${JSON.stringify(lease, null, 2)}\n`;
}
