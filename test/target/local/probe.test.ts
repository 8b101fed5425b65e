import { afterEach, expect, test } from "bun:test";
import { startProbe } from "../../../pipeline/src/target/local/probe.ts";
import { newUpstream, type Upstream } from "../../../pipeline/src/target/local/upstream.ts";
import { until } from "../../support/until.ts";

const options = { everyMs: 5, timeoutMs: 50, failuresToRest: 2, failuresToKill: 6 };
const close: (() => void)[] = [];
afterEach(() => {
  for (const end of close.splice(0)) end();
});

function probed(answer: () => Response | Promise<Response>): { upstream: Upstream; hung: () => number } {
  const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: answer });
  const upstream = Object.assign(newUpstream("one"), { base: `http://127.0.0.1:${server.port}` });
  let hung = 0;
  close.push(
    startProbe(
      upstream,
      () => {
        hung += 1;
      },
      options,
    ),
    () => void server.stop(true),
  );
  return { upstream, hung: () => hung };
}

test("startProbe() lets a revision rest that is not well, and takes it back", async () => {
  let status = 503;
  const { upstream } = probed(() => new Response("", { status }));
  await until("it to rest", () => (upstream.healthy ? undefined : true));
  status = 200;
  await until("it to be back", () => (upstream.healthy ? true : undefined));
});

test("startProbe() calls onHung once for a revision that does not answer", async () => {
  const { upstream, hung } = probed(() => new Promise<Response>(() => {}));
  await until("onHung", () => (hung() > 0 ? true : undefined));
  expect(upstream.healthy).toBe(false);
  await Bun.sleep(4 * (options.everyMs + options.timeoutMs));
  expect(hung()).toBe(1);
});
