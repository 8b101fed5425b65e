import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type HaproxyRouter, openHaproxy } from "../../../pipeline/src/target/haproxy/router.ts";
import { haproxyDown, haproxyPaths, haproxyUp } from "../../../pipeline/src/target/haproxy/up.ts";
import { until } from "../../support/until.ts";

type Handler = (request: Request) => Response | Promise<Response>;

/** HAProxy in front of revisions that are handlers in this process. */
export type HaproxyFixture = {
  folder: string;
  /** What its configuration says of it, without the revisions. */
  place: { folder: string; bind: string; controlBind: string };
  address: string;
  /** The runtime API over TCP. */
  control: { host: string; port: number };
  router: HaproxyRouter;
  /** Writes the configuration again with the present weights, and reloads. */
  reload: () => Promise<void>;
  /** Ends a revision's server. */
  kill: (id: string) => Promise<void>;
  close: () => Promise<void>;
};

/** Starts HAProxy and waits until it has found every revision well; none has weight yet. */
export async function aHaproxy(handlers: Record<string, Handler>): Promise<HaproxyFixture> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-haproxy-"));
  const paths = haproxyPaths(folder);
  const router = openHaproxy({ control: { path: paths.socket }, samplesFile: paths.samples });
  const revisions = new Map(Object.entries(handlers).map(([id, handler]) => [id, serve(handler)]));
  const [port, controlPort] = await freePorts();
  const address = `http://127.0.0.1:${port}`;
  const place = { folder, bind: `127.0.0.1:${port}`, controlBind: `127.0.0.1:${controlPort}` };
  const write = (weights: Map<string, number>) => {
    const servers = [...revisions].map(([id, server]) => ({
      id,
      host: "127.0.0.1",
      port: server.port ?? 0,
      weight: weights.get(id) ?? 0,
    }));
    return haproxyUp({ ...place, servers });
  };
  await write(new Map());
  for (const id of revisions.keys()) {
    await until(
      `HAProxy to reach ${id}`,
      async () => (await fetch(address, { headers: { "x-sluice-arm": id } })).ok || undefined,
    );
  }
  return {
    folder,
    place,
    address,
    control: { host: "127.0.0.1", port: controlPort },
    router,
    reload: async () => write(new Map(Object.entries(await router.readWeights()))),
    kill: async (id) => revisions.get(id)?.stop(true),
    close: async () => {
      await haproxyDown(folder, { drainSeconds: 0 });
      for (const server of revisions.values()) await server.stop(true);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function serve(handler: Handler): Bun.Server<undefined> {
  return Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    fetch: (request) => (new URL(request.url).pathname === "/readyz" ? new Response("ok") : handler(request)),
  });
}

/** Two ports that were free a moment ago: HAProxy cannot choose one and tell. */
export async function freePorts(): Promise<[number, number]> {
  const sockets = [createServer(), createServer()];
  const ports = await Promise.all(
    sockets.map(
      (socket) =>
        new Promise<number>((resolve) => {
          socket.listen(0, "127.0.0.1", () => {
            const address = socket.address();
            resolve(typeof address === "object" && address !== null ? address.port : 0);
          });
        }),
    ),
  );
  await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.close(resolve))));
  return [ports[0] ?? 0, ports[1] ?? 0];
}
