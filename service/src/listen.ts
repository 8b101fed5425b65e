import { createServer } from "node:http";
import { serve } from "@hono/node-server";

/** What answers one request. */
export type Handler = (request: Request) => Response | Promise<Response>;

/** A server that listens. `stop` takes no new connection, waits for running requests, and after `graceMs` cuts them. */
export type Listener = { port: number; stop(graceMs: number): Promise<void> };

/** `connections`: how many may be open; only Node can tell. */
type Options = { host: string; port: number; connections: number };

/** Deno's part that is used here; its types are in Deno only. */
type DenoServe = (
  options: { hostname: string; port: number; signal: AbortSignal; onListen(address: unknown): void },
  handler: Handler,
) => { addr: { port: number }; shutdown(): Promise<void> };

declare const Deno: { serve: DenoServe } | undefined;

/** Listens with the runtime's own server: the only part of the service that differs between Bun, Deno and Node. */
export async function listen(handler: Handler, options: Options): Promise<Listener> {
  if (typeof Bun !== "undefined") return listenBun(handler, options);
  if (typeof Deno !== "undefined") return listenDeno(Deno.serve, handler, options);
  return await listenNode(handler, options);
}

/** Far above the app's own limit: the app says what is too large, in its own words. */
const maxRequestBodySize = Number.MAX_SAFE_INTEGER;

function listenBun(fetch: Handler, { host, port }: Options): Listener {
  const server = Bun.serve({ fetch, hostname: host, port, maxRequestBodySize, idleTimeout: 60 });
  return { port: server.port ?? port, stop: (graceMs) => within(graceMs, server.stop(), () => server.stop(true)) };
}

function listenDeno(denoServe: DenoServe, handler: Handler, { host, port }: Options): Listener {
  const cut = new AbortController();
  const server = denoServe({ hostname: host, port, signal: cut.signal, onListen: () => undefined }, handler);
  return { port: server.addr.port, stop: (graceMs) => within(graceMs, server.shutdown(), () => cut.abort()) };
}

function listenNode(fetch: Handler, { host, port, connections }: Options): Promise<Listener> {
  const { promise, resolve, reject } = Promise.withResolvers<Listener>();
  const timeouts = { headersTimeout: 10_000, requestTimeout: 60_000, keepAliveTimeout: 60_000 };
  const serverOptions = { ...timeouts, connectionsCheckingInterval: 1_000 };
  const options = { fetch, hostname: host, port, createServer, serverOptions, overrideGlobalObjects: false };
  const server = serve(options, (address) => {
    const close = () => new Promise<void>((done) => server.close(() => done()));
    const cut = () => ("closeAllConnections" in server ? server.closeAllConnections() : undefined);
    resolve({ port: address.port, stop: (graceMs) => within(graceMs, close(), cut) });
  });
  server.maxConnections = connections;
  server.on("error", reject);
  return promise;
}

/** Waits for `ended`, and no longer than `graceMs`: then `cut` ends what is left. */
async function within(graceMs: number, ended: Promise<void>, cut: () => unknown): Promise<void> {
  const timer = setTimeout(cut, graceMs);
  const late = new Promise<void>((resolve) => setTimeout(resolve, graceMs + 100).unref());
  await Promise.race([ended, late]);
  clearTimeout(timer);
}
