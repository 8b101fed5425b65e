import { afterEach, describe, expect, test } from "bun:test";
import { connect, createServer } from "node:net";
import { connectUpstream, takesRequests } from "../../../pipeline/src/target/local/upstream.ts";
import { aProxy, type ProxyFixture } from "./proxy-fixture.ts";

const open: ProxyFixture[] = [];
function proxy(options?: Parameters<typeof aProxy>[0]): ProxyFixture {
  const fixture = aProxy(options);
  open.push(fixture);
  return fixture;
}
afterEach(async () => {
  await Promise.all(open.splice(0).map((fixture) => fixture.close()));
});

/** One revision with all weight. */
function single(handler: (request: Request) => Response | Promise<Response>): ProxyFixture {
  const it = proxy();
  it.revision("one", handler);
  it.arms.weigh({ one: 100 });
  return it;
}

/** `one` is drawn for every request, `two` is there beside it. */
function pair(base: string | undefined, options?: Parameters<typeof aProxy>[0]): ProxyFixture {
  const it = proxy(options);
  it.revisionAt("one", base);
  it.revision("two", async (request) => new Response(`two got ${await request.text()}`));
  it.arms.weigh({ one: 50, two: 50 });
  return it;
}

/** A server that reads a request and breaks the connection. */
async function breaksOff(): Promise<{ base: string; requests: () => number; close: () => void }> {
  let requests = 0;
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => {
      requests += 1;
      socket.resetAndDestroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return { base: `http://127.0.0.1:${address.port}`, requests: () => requests, close: () => server.close() };
}

describe("createProxy() forwards", () => {
  test("method, path, query, body and headers", async () => {
    const it = single(async (request) => {
      const { pathname, search } = new URL(request.url);
      const headers = Object.fromEntries(request.headers);
      return Response.json({ method: request.method, target: pathname + search, body: await request.text(), headers });
    });
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const answer = await fetch(`${it.address}/v1/a%20b?q=1&q=2`, {
      method: "PUT",
      body: "hello",
      headers: { traceparent },
    });
    const seen = await answer.json();
    expect(seen).toMatchObject({ method: "PUT", target: "/v1/a%20b?q=1&q=2", body: "hello" });
    expect(seen.headers).toMatchObject({ traceparent, "x-forwarded-for": "192.0.2.7", "x-forwarded-proto": "http" });
    expect(seen.headers["x-forwarded-host"]).toBe(`127.0.0.1:${it.port}`);
    expect(seen.headers.host).toBe(`127.0.0.1:${it.port}`);
  });

  test("no header of the connection itself, in either direction", async () => {
    const it = single((request) =>
      Response.json(Object.fromEntries(request.headers), {
        headers: { connection: "x-secret", "x-secret": "1", "x-open": "2" },
      }),
    );
    const text = await raw(
      it.port,
      "GET / HTTP/1.1\r\nHost: a\r\nConnection: close, x-mine\r\nX-Mine: 1\r\nTE: trailers\r\nUpgrade: h2c\r\n\r\n",
    );
    const [head = "", body = ""] = text.split("\r\n\r\n");
    expect(body).not.toMatch(/x-mine|upgrade|"te"/);
    expect(head.toLowerCase()).toContain("x-open: 2");
    expect(head.toLowerCase()).not.toContain("x-secret");
  });

  test("an upload of unknown length, as a stream", async () => {
    const it = single(async (request) => Response.json({ size: (await request.arrayBuffer()).byteLength }));
    const chunk = new Uint8Array(256 * 1024);
    let left = 20;
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        left -= 1;
        if (left < 0) controller.close();
        else controller.enqueue(chunk);
      },
    });
    const answer = await fetch(it.address, { method: "POST", body });
    expect(await answer.json()).toEqual({ size: 20 * chunk.length });
  });

  test("an answer as it comes, before it is whole", async () => {
    const second = Promise.withResolvers<void>();
    const it = single(
      () =>
        new Response(
          new ReadableStream({
            async start(controller) {
              controller.enqueue(new TextEncoder().encode("first"));
              await second.promise;
              controller.enqueue(new TextEncoder().encode("second"));
              controller.close();
            },
          }),
        ),
    );
    const reader = (await fetch(it.address)).body?.getReader();
    expect(new TextDecoder().decode((await reader?.read())?.value)).toBe("first");
    expect(it.arms.find("one")?.inFlight).toBe(1);
    second.resolve();
    expect(new TextDecoder().decode((await reader?.read())?.value)).toBe("second");
    expect((await reader?.read())?.done).toBe(true);
    expect(it.arms.find("one")?.inFlight).toBe(0);
  });

  test.each([10, 64 * 1024, 3_000_000])("an answer of %i bytes, with its length", async (size) => {
    const it = single(() => new Response(new Uint8Array(size).fill(7)));
    const answer = await fetch(it.address);
    const body = new Uint8Array(await answer.arrayBuffer());
    expect(body.length).toBe(size);
    expect(body.every((byte) => byte === 7)).toBe(true);
  });

  test.each([204, 304])("status %i without a body", async (status) => {
    const it = single(() => new Response(null, { status }));
    const answer = await fetch(it.address);
    expect(answer.status).toBe(status);
    expect(await answer.text()).toBe("");
  });

  test("HEAD without a body, with the length", async () => {
    const it = single(
      (request) => new Response(request.method === "HEAD" ? null : "hello", { headers: { "content-length": "5" } }),
    );
    const text = await raw(it.port, "HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    expect(text.toLowerCase()).toContain("content-length: 5");
    expect(text.endsWith("\r\n\r\n")).toBe(true);
  });

  test("a redirect, each cookie and a compressed body untouched", async () => {
    const packed = Bun.gzipSync(Buffer.from("hello"));
    const headers = new Headers({ location: "/elsewhere", "content-encoding": "gzip" });
    headers.append("set-cookie", "a=1");
    headers.append("set-cookie", "b=2");
    const it = single(() => new Response(packed, { status: 302, headers }));
    const answer = await fetch(it.address, { redirect: "manual", decompress: false });
    expect(answer.status).toBe(302);
    expect(answer.headers.get("location")).toBe("/elsewhere");
    expect(answer.headers.getSetCookie()).toEqual(["a=1", "b=2"]);
    expect(new Uint8Array(await answer.arrayBuffer())).toEqual(new Uint8Array(packed));
  });

  test("a client's going away, and counts it for nobody", async () => {
    const arrived = Promise.withResolvers<void>();
    const gone = Promise.withResolvers<void>();
    const it = single((request) => {
      request.signal.addEventListener("abort", () => gone.resolve());
      arrived.resolve();
      return new Promise<Response>(() => {});
    });
    const control = new AbortController();
    const answer = fetch(it.address, { signal: control.signal }).catch(() => "gone");
    await arrived.promise;
    control.abort();
    await gone.promise;
    expect(await answer).toBe("gone");
    expect(it.meter.read().one).toMatchObject({ requests: 0, errors: 0 });
  });
});

test("createProxy() sends nothing of a body that did not come whole", async () => {
  let requests = 0;
  const it = single(() => {
    requests += 1;
    return new Response("ok");
  });
  await new Promise<void>((resolve) => {
    const socket = connect(it.port, "127.0.0.1", () => {
      socket.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nthe beginning", () => socket.destroy());
    });
    socket.on("close", () => resolve());
  });
  expect(await (await fetch(it.address)).text()).toBe("ok");
  expect(requests).toBe(1);
  expect(it.meter.read().one).toMatchObject({ requests: 1, errors: 0 });
});

describe("createProxy() names", () => {
  test("the revision that answered, unless it did so itself", async () => {
    const it = single(
      (request) =>
        new Response("ok", { headers: new URL(request.url).pathname === "/own" ? { "x-sluice-revision": "own" } : {} }),
    );
    expect((await fetch(it.address)).headers.get("x-sluice-revision")).toBe("one");
    expect((await fetch(`${it.address}/own`)).headers.get("x-sluice-revision")).toBe("own");
  });
});

describe("createProxy() lets a tester choose", () => {
  test("the revision, past the draw and uncounted", async () => {
    const it = proxy();
    it.revision("one", () => new Response("one"));
    it.revision("two", (request) => new Response(`two ${request.headers.has("x-sluice-arm")}`));
    it.arms.weigh({ one: 100 });
    const answer = await fetch(it.address, { headers: { "x-sluice-arm": "two" } });
    expect(await answer.text()).toBe("two false");
    expect(it.meter.read().two?.requests).toBe(0);
  });

  test("no unknown revision", async () => {
    const it = single(() => new Response("one"));
    const answer = await fetch(it.address, { headers: { "x-sluice-arm": "nobody" } });
    expect(answer.status).toBe(404);
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    expect(await answer.json()).toMatchObject({ status: 404, code: "unknown_arm" });
  });
});

describe("createProxy() counts", () => {
  test.each([
    [200, { requests: 1, errors: 0, clientErrors: 0 }],
    [302, { requests: 1, errors: 0, clientErrors: 0 }],
    [404, { requests: 0, errors: 0, clientErrors: 1 }],
    [429, { requests: 0, errors: 0, clientErrors: 1 }],
    [500, { requests: 1, errors: 1, clientErrors: 0 }],
    [503, { requests: 1, errors: 1, clientErrors: 0 }],
  ] as const)("status %i", async (status, counts) => {
    const it = single(() => new Response("x", { status }));
    await (await fetch(it.address, { redirect: "manual" })).text();
    expect(it.meter.read().one).toMatchObject(counts);
  });

  test("latency to the last byte", async () => {
    const it = single(
      () =>
        new Response(
          parts(async function* () {
            yield "a";
            await Bun.sleep(40);
            yield "b";
          }),
        ),
    );
    await (await fetch(it.address)).text();
    expect(it.meter.read().one?.latency[0]?.[0]).toBeGreaterThanOrEqual(39_000);
  });
});

describe("createProxy() without a usable revision", () => {
  test("answers 503 when none has weight", async () => {
    const it = proxy();
    const answer = await fetch(it.address);
    expect(answer.status).toBe(503);
    expect(answer.headers.get("retry-after")).toBe("1");
    expect(await answer.json()).toMatchObject({ status: 503, code: "no_revision" });
  });

  test("answers 503 when none takes requests in time", async () => {
    const it = proxy({ holdMs: 20 });
    it.revisionAt("one", undefined);
    it.arms.weigh({ one: 100 });
    expect((await fetch(it.address)).status).toBe(503);
    expect(it.meter.read().one).toMatchObject({ requests: 1, errors: 1 });
  });

  test("holds a request until the revision is back", async () => {
    const it = proxy({ holdMs: 5_000 });
    const upstream = it.revision("one", async (request) => new Response(await request.text()));
    const { base = "" } = upstream;
    upstream.base = undefined;
    it.arms.weigh({ one: 100 });
    const answer = fetch(it.address, { method: "POST", body: "kept" });
    while (it.meter.read().one?.errors !== 1) await Bun.sleep(1);
    connectUpstream(upstream, base);
    it.arms.wake();
    expect(await (await answer).text()).toBe("kept");
  });
});

describe("createProxy() keeps a client with one revision", () => {
  test.each([
    ["header", { "x-sluice-sticky": "ann" }],
    ["cookie", { cookie: "theme=dark; sluice_sticky=ann" }],
  ] as const)("by %s", async (_, headers) => {
    let draws = 0;
    const it = proxy({ random: () => (draws++ % 2 === 0 ? 0 : 0.99) });
    it.revision("one", () => new Response("one"));
    it.revision("two", () => new Response("two"));
    it.arms.weigh({ one: 50, two: 50 });
    const answers = new Set<string>();
    for (let times = 0; times < 10; times += 1) answers.add(await (await fetch(it.address, { headers })).text());
    expect(answers.size).toBe(1);
    expect(draws).toBe(0);
  });
});

describe("createProxy() spares clients", () => {
  test("a revision that only fails, and goes on counting it as failing", async () => {
    const it = proxy();
    it.revision("one", () => new Response("broken", { status: 500 }));
    it.revision("two", () => new Response("fine"));
    it.arms.weigh({ one: 50, two: 50 });
    const statuses: number[] = [];
    for (let times = 0; times < 20; times += 1) statuses.push((await fetch(it.address)).status);
    expect(statuses).toEqual([...Array<number>(5).fill(500), ...Array<number>(15).fill(200)]);
    expect(it.meter.read().one).toMatchObject({ requests: 20, errors: 20 });
  });

  test("no client when there is nothing else", async () => {
    const it = single(() => new Response("broken", { status: 500 }));
    for (let times = 0; times < 10; times += 1) expect((await fetch(it.address)).status).toBe(500);
  });
});

describe("createProxy() sends again", () => {
  test("any request that was refused, and counts it once, as the drawn one's refusal", async () => {
    const it = pair("http://127.0.0.1:1");
    const answer = await fetch(it.address, { method: "POST", body: "hello" });
    expect(await answer.text()).toBe("two got hello");
    expect(it.meter.read()).toMatchObject({ one: { requests: 1, errors: 1 }, two: { requests: 0, errors: 0 } });
  });

  test("what was drawn for a stable that is away, and leaves canary and baseline with as many as were drawn for them", async () => {
    let draws = 0;
    const it = proxy({ random: () => (draws++ % 100) / 100 });
    it.revisionAt("stable", undefined);
    it.revision("baseline", () => new Response("fine"));
    it.revision("canary", () => new Response("fine"));
    it.arms.weigh({ stable: 60, baseline: 20, canary: 20 });
    for (let times = 0; times < 100; times += 1) expect((await fetch(it.address)).status).toBe(200);
    const { stable, baseline, canary } = it.meter.read();
    expect([stable?.requests, baseline?.requests, canary?.requests]).toEqual([60, 20, 20]);
    expect([stable?.errors, baseline?.errors, canary?.errors]).toEqual([60, 0, 0]);
  });

  test("to one that fails then too, and leaves that one alone after a while", async () => {
    const it = proxy();
    it.revisionAt("one", undefined);
    const two = it.revision("two", () => new Response("broken", { status: 500 }));
    it.revision("three", () => new Response("fine"));
    it.arms.weigh({ one: 1, two: 50, three: 50 });
    const statuses: number[] = [];
    for (let times = 0; times < 10; times += 1) statuses.push((await fetch(it.address)).status);
    expect(statuses).toEqual([...Array<number>(5).fill(500), ...Array<number>(5).fill(200)]);
    expect(takesRequests(two)).toBe(false);
  });

  test.each([
    ["GET", "without a key", {}, 200],
    ["POST", "without a key", {}, 502],
    ["POST", "with a key", { "idempotency-key": "k" }, 200],
  ] as const)("%s %s that broke off", async (method, _, headers, status) => {
    const broken = await breaksOff();
    const it = pair(broken.base);
    const answer = await fetch(it.address, { method, headers, ...(method === "POST" ? { body: "hello" } : {}) });
    expect(answer.status).toBe(status);
    expect(it.meter.read().one).toMatchObject({ requests: 1, errors: 1 });
    if (status === 502) expect(broken.requests()).toBe(1);
    broken.close();
  });

  test("no request whose answer was an error", async () => {
    const it = proxy();
    it.revision("one", () => new Response("broken", { status: 500 }));
    it.revision("two", () => new Response("fine"));
    it.arms.weigh({ one: 50, two: 50 });
    expect((await fetch(it.address)).status).toBe(500);
  });
});

test("createProxy() answers 504 when the revision takes too long, and counts an error", async () => {
  const it = proxy({ timeoutMs: 30 });
  it.revision("one", () => new Promise<Response>(() => {}));
  it.arms.weigh({ one: 100 });
  const answer = await fetch(it.address);
  expect(answer.status).toBe(504);
  expect(await answer.json()).toMatchObject({ code: "revision_timed_out" });
  expect(it.meter.read().one).toMatchObject({ requests: 1, errors: 1 });
});

test("createProxy() does not pass off a cut answer as a whole one", async () => {
  const it = single(
    () =>
      new Response(
        parts(async function* () {
          yield "the beginning";
          await Bun.sleep(5);
          throw new Error("cut");
        }),
      ),
  );
  const text = await fetch(it.address)
    .then((answer) => answer.text())
    .catch(() => "cut");
  expect(text).toBe("cut");
  expect(it.meter.read().one).toMatchObject({ requests: 1, errors: 1 });
});

describe("createProxy() is not smuggled through", () => {
  test.each([
    [
      "length and chunks",
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
    ],
    [
      "two lengths",
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 40\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
    ],
    [
      "an unknown coding",
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
    ],
    [
      "a space before the colon",
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length : 40\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
    ],
    ["a folded header", "GET / HTTP/1.1\r\nHost: a\r\nX-A: b\r\n GET /smuggled HTTP/1.1\r\n\r\n"],
  ])("by %s", async (_, request) => {
    const seen: string[] = [];
    const it = single((seenRequest) => {
      seen.push(new URL(seenRequest.url).pathname);
      return new Response("ok");
    });
    expect(await raw(it.port, request)).toStartWith("HTTP/1.1 400");
    expect(seen).toEqual([]);
  });

  test("by a length named as a header of the connection", async () => {
    const seen: string[] = [];
    const it = single(async (request) => {
      seen.push(`${new URL(request.url).pathname} ${await request.text()}`);
      return new Response("ok");
    });
    const inner = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
    await raw(
      it.port,
      `POST / HTTP/1.1\r\nHost: a\r\nConnection: close, content-length\r\nContent-Length: ${inner.length}\r\n\r\n${inner}`,
    );
    expect(seen).toEqual([`/ ${inner}`]);
  });

  test.each(["CONNECT", "TRACE"])("by %s", async (method) => {
    const it = single(() => new Response("ok"));
    const answer = await raw(it.port, `${method} / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
    expect(answer).toStartWith("HTTP/1.1 501");
  });
});

/** A body that comes part by part. */
function parts(generate: () => AsyncGenerator<string>): ReadableStream<Uint8Array> {
  const generator = generate();
  return new ReadableStream({
    async pull(controller) {
      const { value, done } = await generator.next();
      if (done === true) controller.close();
      else controller.enqueue(new TextEncoder().encode(value));
    },
  });
}

/** Sends bytes as they are and returns what comes until the server closes. */
function raw(port: number, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const socket = connect(port, "127.0.0.1", () => socket.write(request));
    socket.setEncoding("latin1");
    socket.on("data", (chunk) => {
      text += chunk;
    });
    socket.on("error", reject);
    socket.on("close", () => resolve(text));
  });
}
