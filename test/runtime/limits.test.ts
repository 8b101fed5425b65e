import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { patience, sample } from "../support/service-app.ts";
import { runtimes, type ServiceProcess, startProcess } from "../support/service-process.ts";
import { until } from "../support/until.ts";

setDefaultTimeout(patience);

const path = "/v1/models/tabular/predict";

async function open({ url }: ServiceProcess): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  await once(socket, "connect");
  return socket;
}

/** Sends this, and reads until the service closes the connection. */
async function say(service: ServiceProcess, text: string): Promise<string> {
  const socket = await open(service);
  let said = "";
  socket.on("data", (chunk) => {
    said += chunk;
  });
  socket.on("error", () => undefined); // a connection that is cut while we send
  socket.write(text);
  await new Promise((closed) => socket.once("close", closed));
  return said;
}

/** A request whose body does not come to its end. */
async function unfinished(service: ServiceProcess): Promise<Socket> {
  const socket = await open(service);
  const head = [`POST ${path} HTTP/1.1`, "host: x", `authorization: Bearer ${service.key}`];
  socket.on("error", () => undefined);
  socket.write(`${[...head, "content-type: application/json", "content-length: 100"].join("\r\n")}\r\n\r\n{`);
  return socket;
}

/** The status of an ordinary request on a connection of its own; "cut" when there is no answer. */
async function ask(service: ServiceProcess, at = path): Promise<number | "cut"> {
  const headers = { authorization: `Bearer ${service.key}`, "content-type": "application/json", connection: "close" };
  const init = at === path ? { method: "POST", body: JSON.stringify(sample), headers } : { headers };
  const response = await fetch(service.url + at, { ...init, keepalive: false }).catch(() => undefined);
  await response?.arrayBuffer();
  return response?.status ?? "cut";
}

/** How many requests to the model were refused, as the metrics say. */
async function refusalsCounted({ url, key }: ServiceProcess): Promise<number> {
  const metrics = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${key}` } });
  const refused = (await metrics.text())
    .split("\n")
    .find((line) => /^http_server_request_duration_seconds_count\{.*status_code="503"/.test(line));
  if (refused === undefined) return 0;
  expect(refused).toContain(`http_route="${path}"`);
  expect(refused).toContain('model_name="tabular"');
  return Number(refused.split(" ").at(-1));
}

for (const runtime of runtimes) {
  describe.skipIf(!runtime.found && process.env.CI !== "true")(`the service on ${runtime.name}`, () => {
    test("refuses headers that are too large, and too many of them, and goes on", async () => {
      await using service = await startProcess(runtime);
      const refused = /^(HTTP\/1\.1 4(00|31) |$)/; // or cut while the rest is on its way
      const large = `x-large: ${"a".repeat(100_000)}\r\n`;
      const many = Array.from({ length: 1_000 }, (_, i) => `x-${i}: 1\r\n`).join("");
      for (const headers of [large, many]) {
        expect(await say(service, `GET /livez HTTP/1.1\r\nhost: x\r\n${headers}\r\n`)).toMatch(refused);
      }
      expect(await ask(service)).toBe(200);
    });

    test("takes no more connections, or requests at the same time, than it is told, and says that it lives", async () => {
      await using service = await startProcess(runtime, { env: { SLUICE_CONNECTIONS: "2" } });
      const slow = [await unfinished(service), await unfinished(service)];
      const refusal = runtime.name === "Node" ? "cut" : 503;
      const answers: (number | "cut")[] = [];
      const asked = async () => answers[answers.push(await ask(service)) - 1];
      await until("a refusal", async () => ((await asked()) === refusal ? true : undefined));
      if (runtime.name !== "Node") expect(await ask(service, "/livez")).toBe(200);
      for (const socket of slow) socket.destroy();
      await until("an answer", async () => ((await asked()) === 200 ? true : undefined));
      expect(await refusalsCounted(service)).toBe(answers.filter((answer) => answer === 503).length);
    });
  });
}
