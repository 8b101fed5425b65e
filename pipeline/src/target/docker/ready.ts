import { until } from "../wait.ts";
import type { Docker } from "./api.ts";
import { servicePort } from "./container.ts";
import { type Container, findContainer, logOf } from "./containers.ts";

const askTimeoutMs = 1_000;

/** Whether the service at `address` takes requests. */
export async function isReady(address: string): Promise<boolean> {
  const signal = AbortSignal.timeout(askTimeoutMs);
  return fetch(`http://${address}:${servicePort}/readyz`, { signal }).then(
    ({ ok }) => ok,
    () => false,
  );
}

/** Waits until a started container takes requests; otherwise says in words why it does not, with its last lines. */
export async function whyNotReady(docker: Docker, container: Container, seconds: number): Promise<string | undefined> {
  const outcome = await until(seconds, async () => {
    if (await isReady(container.address)) return "ready";
    const now = await findContainer(docker, container.id);
    if (now === undefined) return "its container is gone";
    // Docker starts what has ended again: each such start is another end.
    const hasEnded = now.restarts > container.restarts || now.status === "exited" || now.status === "dead";
    if (!hasEnded) return undefined;
    // The code of a container that runs again is no longer told.
    return now.status === "running" ? "it ended" : `it ended with exit code ${now.exitCode}`;
  });
  if (outcome === "ready") return undefined;
  const log = await logOf(docker, container.id).catch(() => "");
  const end = log === "" ? "its log is empty" : `its log ends with:\n${log}`;
  return `${outcome ?? "it was not ready"}, expected ready within ${seconds} s; ${end}`;
}
