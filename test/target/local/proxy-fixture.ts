import { Arms } from "../../../pipeline/src/target/local/arms.ts";
import { Meter } from "../../../pipeline/src/target/local/meter.ts";
import { createProxy, type ProxyDeps } from "../../../pipeline/src/target/local/proxy.ts";
import { newUpstream, type Upstream } from "../../../pipeline/src/target/local/upstream.ts";

type Handler = (request: Request) => Response | Promise<Response>;

/** A router in this process, in front of revisions that are handlers in this process. */
export type ProxyFixture = {
  address: string;
  port: number;
  arms: Arms;
  meter: Meter;
  /** Adds a revision that answers with `handler`; give it weight with `arms.weigh`. */
  revision: (id: string, handler: Handler) => Upstream;
  /** Adds a revision at an address of its own. */
  revisionAt: (id: string, base: string | undefined) => Upstream;
  close: () => Promise<void>;
};

export function aProxy(options: Partial<Pick<ProxyDeps, "timeoutMs" | "holdMs" | "random">> = {}): ProxyFixture {
  const arms = new Arms();
  const meter = new Meter();
  const proxy = createProxy({ arms, meter, random: () => 0, timeoutMs: 5_000, holdMs: 0, ...options });
  const servers: Bun.Server<undefined>[] = [];
  const serve = (handler: Handler) => {
    const server = Bun.serve({ hostname: "127.0.0.1", port: 0, idleTimeout: 0, fetch: handler });
    servers.push(server);
    return server;
  };
  const router = serve((request) => proxy(request, "192.0.2.7"));
  const revisionAt = (id: string, base: string | undefined) => {
    const upstream = newUpstream(id);
    upstream.base = base;
    arms.add(upstream);
    meter.open(id);
    return upstream;
  };
  return {
    address: `http://127.0.0.1:${router.port}`,
    port: router.port ?? 0,
    arms,
    meter,
    revision: (id, handler) => revisionAt(id, `http://127.0.0.1:${serve(handler).port}`),
    revisionAt,
    close: async () => {
      await Promise.all(servers.map((server) => server.stop(true)));
    },
  };
}
