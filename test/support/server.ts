export interface TinyServer {
  url: string;
  /** Requests that arrived. */
  seen: () => number;
  stop(): Promise<void>;
}

/** Serves `handler` on a free loopback port. */
export function serve(handler: (request: Request, index: number) => Response | Promise<Response>): TinyServer {
  let count = 0;
  const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: (request) => handler(request, count++) });
  return { url: `http://127.0.0.1:${server.port}`, seen: () => count, stop: () => server.stop(true) };
}
