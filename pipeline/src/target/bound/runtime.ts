import type { Runtime } from "../../rollout/ports.ts";
import { armHeaders } from "../../spec/address.ts";
import { DeployError } from "../../spec/error.ts";
import type { Revision } from "../../spec/site.ts";

/** A revision that somebody else started and will end: a service of a container engine, or a server behind a router. */
export type Bound = { id: string; releaseId: string; address: string };

const pollMs = 100;

/**
 * Revisions that run already, somewhere else. To start one is to wait until it is ready; to stop one only takes it off
 * the list. Nothing is remembered beyond this process.
 */
export function boundRuntime(bound: readonly Bound[], stable: string): Runtime {
  const running = new Map<string, Bound>();
  let fallback = stable;
  const find = (id: string): Bound => {
    const found = bound.find((one) => one.id === id);
    if (found !== undefined) return found;
    const known = bound.map((one) => one.id).join(", ");
    throw new DeployError("E_STATE", `Cannot find revision ${id}: known are ${known}`);
  };
  return {
    list: async () => [...running.values()].map(describe),
    start: async (id, { readySeconds }) => {
      const revision = find(id);
      await ready(revision, readySeconds);
      running.set(id, revision);
      return describe(revision);
    },
    stop: async (id) => {
      running.delete(id);
    },
    addressOf: async (id) => find(id).address,
    readStable: async () => fallback,
    writeStable: async (id) => {
      fallback = find(id).id;
    },
  };
}

function describe({ id, releaseId, address }: Bound): Revision {
  return { id, releaseId, state: "ready", port: Number(new URL(address).port), pid: 0, restarts: 0 };
}

async function ready({ id, address }: Bound, seconds: number): Promise<void> {
  const deadline = performance.now() + seconds * 1000;
  const ask = () =>
    fetch(new URL("/readyz", address), { headers: armHeaders(address) }).then(
      ({ ok }) => ok,
      () => false,
    );
  while (!(await ask())) {
    if (performance.now() > deadline) {
      throw new DeployError("E_STATE", `Cannot start revision ${id}: ${address} is not ready after ${seconds} s`);
    }
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}
