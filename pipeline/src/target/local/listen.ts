import { chmod, rename, rm } from "node:fs/promises";
import type { Server } from "bun";
import { DeployError } from "../../spec/error.ts";
import { until } from "../wait.ts";
import { type AdminDeps, createAdmin } from "./admin.ts";
import type { Forward } from "./proxy.ts";

/** The router's door. */
export type Listener = {
  port: number;
  /** Asks clients to come by other connections, waits until hardly any comes by the old ones, then closes when nothing is under way. */
  leave: () => Promise<void>;
  close: () => Promise<void>;
};

/** `isShared`: a predecessor listens on the port, too. */
export type Place = { host: string; port: number; isShared: boolean };

const idleSeconds = 120;
/** A listener that leaves closes after this much silence, but neither sooner nor later than this. */
const quietMs = 500;
const leaveMs = { least: 1_000, most: 15_000 };

export function listen(forward: Forward, { host, port, isShared }: Place): Listener {
  let isLeaving = false;
  let lastLeftMs = 0;
  const fetch = (request: Request, server: Server<undefined>) => {
    const answer = forward(request, server.requestIP(request)?.address ?? "unknown");
    if (!isLeaving) return answer;
    lastLeftMs = performance.now();
    return answer.then(asLast);
  };
  const open = isShared ? port : claim(host, port);
  const server = Bun.serve({ hostname: host, port: open, reusePort: true, idleTimeout: idleSeconds, fetch });
  return {
    port: open,
    close: () => server.stop(),
    leave: async () => {
      isLeaving = true;
      const sinceMs = performance.now();
      await until(leaveMs.most / 1_000, async () => {
        const now = performance.now();
        return (now - sinceMs > leaveMs.least && now - lastLeftMs > quietMs) || undefined;
      });
      await server.stop();
    },
  };
}

function asLast(response: Response): Response {
  response.headers.set("connection", "close");
  return response;
}

/** Makes sure that nobody else has the port: with `reusePort` the system would let two share it. 0 finds a free one. */
function claim(hostname: string, port: number): number {
  try {
    const server = Bun.serve({ hostname, port, fetch: () => new Response() });
    const claimed = server.port ?? 0; // gone once it is stopped
    void server.stop(true);
    return claimed;
  } catch (cause) {
    const found = `${hostname}:${port} cannot be listened on (${String(cause)})`;
    throw new DeployError("E_STATE", `Cannot start site: ${found}; next: free it, or give another --port`, { cause });
  }
}

/** Longest path of a unix socket on every system that Sluice runs on. */
const maxSocketPath = 99;

/** Opens the admin API, in the place of a predecessor's. */
export async function openAdmin(path: string, deps: AdminDeps): Promise<{ close: () => Promise<void> }> {
  if (Buffer.byteLength(path) > maxSocketPath) {
    throw new DeployError(
      "E_STATE",
      `Cannot start site: socket path ${path} is longer than ${maxSocketPath} bytes; next: give a shorter --state`,
    );
  }
  const first = `${path}.new`; // what is renamed into place is not removed by a predecessor that stops
  await rm(first, { force: true });
  const admin = createAdmin(deps);
  const server = Bun.serve({
    unix: first,
    fetch: (request, server) => {
      server.timeout(request, 0); // a start answers when the revision is ready
      return admin(request);
    },
  });
  await chmod(first, 0o600);
  await rename(first, path);
  return { close: () => server.stop() };
}
