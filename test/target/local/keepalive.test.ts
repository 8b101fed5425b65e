import { afterEach, expect, test } from "bun:test";
import { Agent, type RequestOptions, request } from "node:http";
import { aProxy, type ProxyFixture } from "./proxy-fixture.ts";

const open: (() => void)[] = [];
afterEach(() => {
  for (const close of open.splice(0)) close();
});

/** A router before one revision that counts the connections which its requests come by. */
async function counted(): Promise<{ it: ProxyFixture; connections: Set<number> }> {
  const connections = new Set<number>();
  const revision = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: async (received, server) => {
      connections.add(server.requestIP(received)?.port ?? 0);
      return new Response(await received.text());
    },
  });
  const it = aProxy();
  it.revisionAt("one", `http://127.0.0.1:${revision.port}`);
  it.arms.weigh({ one: 100 });
  open.push(
    () => void revision.stop(true),
    () => void it.close(),
  );
  return { it, connections };
}

/** Sends one request and tells the port that it came from. */
function portOf(options: RequestOptions, body: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request({ method: "POST", ...options }, (answer) => {
      const from = answer.socket.localPort ?? 0;
      answer.resume().on("end", () => resolve(from));
    });
    sent.on("error", reject).end(body);
  });
}

test("createProxy() keeps a client's connection for its next requests", async () => {
  const { it } = await counted();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const ports = new Set<number>();
  for (let times = 0; times < 20; times += 1) {
    ports.add(await portOf({ host: "127.0.0.1", port: it.port, agent }, `question ${times}`));
  }
  agent.destroy();
  expect(ports.size).toBe(1);
});

test("createProxy() keeps its connection to a revision, whatever its clients do", async () => {
  const { it, connections } = await counted();
  for (let times = 0; times < 20; times += 1) {
    await portOf({ host: "127.0.0.1", port: it.port, agent: false }, `question ${times}`);
  }
  expect(connections.size).toBe(1);
});
