import { expect, setDefaultTimeout, test } from "bun:test";
import { patience, sample } from "../support/service-app.ts";
import { featuresOf, wild, wildModel } from "../support/service-model.ts";
import { runtimes, type ServiceProcess, startProcess } from "../support/service-process.ts";
import { until } from "../support/until.ts";

setDefaultTimeout(patience);

const kills = 5;
const lanes = 8;

function ask({ url, key }: ServiceProcess, body: object): Promise<Response> {
  return fetch(`${url}/v1/models/tabular/predict`, {
    method: "POST",
    body: JSON.stringify(body),
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
  });
}

/** Clients that ask one question after another, and what they were answered. */
function startClients(service: ServiceProcess) {
  const statuses: number[] = [];
  let asking = true;
  const clients = Array.from({ length: lanes }, async () => {
    while (asking) statuses.push((await ask(service, sample)).status);
  });
  return {
    statuses,
    async stop() {
      asking = false;
      await Promise.all(clients);
    },
  };
}

for (const runtime of runtimes) {
  test.skipIf(!runtime.found && process.env.CI !== "true")(
    `workers killed under load on ${runtime.name}: only the requests that they had fail, with 503`,
    async () => {
      await using model = await wildModel({ batch: { safe: false, maxSize: 1 } });
      await using service = await startProcess(runtime, { dirs: [model.dir], env: { SLUICE_WORKERS: "2" } });
      const clients = startClients(service);
      for (let kill = 0; kill < kills; kill += 1) {
        const before = clients.statuses.length;
        const killed = await ask(service, featuresOf(wild.crash));
        expect([killed.status, killed.headers.get("retry-after")]).toEqual([503, "1"]);
        expect((await killed.json()).code).toBe("worker-lost");
        await until("clients to be served again", () => (clients.statuses.length > before + 50 ? true : undefined));
      }
      await clients.stop();
      expect(new Set(clients.statuses)).toEqual(new Set([200]));
      const headers = { authorization: `Bearer ${service.key}` };
      await until("both workers to be back", async () => {
        const metrics = await (await fetch(`${service.url}/metrics`, { headers })).text();
        expect(metrics).toMatch(new RegExp(`sluice_worker_restarts_total\\{[^}]*reason="lost"[^}]*\\} ${kills}\n`));
        return /sluice_workers\{[^}]*\} 2\n/.test(metrics) ? true : undefined;
      });
    },
  );
}
