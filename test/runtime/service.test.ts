import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { buildBundle } from "../../pipeline/src/release/bundle.ts";
import { createKey, revokeKey, writeKeys } from "../../pipeline/src/release/key.ts";
import { aModelCopy, edit } from "../release/model-copy.ts";
import { temporaryFolder } from "../support/folder.ts";
import { magikaDir, patience, root, sample, tabularDir } from "../support/service-app.ts";
import { runtimes, type ServiceProcess, source, spawnProcess, startProcess } from "../support/service-process.ts";
import { until } from "../support/until.ts";

setDefaultTimeout(patience);

let bundle = "";
beforeAll(async () => {
  await mkdir(join(root, ".sluice"), { recursive: true });
  bundle = await mkdtemp(join(root, ".sluice", "test-bundle-"));
  await buildBundle(join(root, "service"), bundle);
});
afterAll(() => rm(bundle, { recursive: true, force: true }));

function predict({ url, key }: ServiceProcess, body: BodyInit, headers: Record<string, string> = {}) {
  return fetch(`${url}/v1/models/tabular/predict`, {
    method: "POST",
    body,
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json", ...headers },
  });
}

for (const runtime of runtimes) {
  // On a laptop a runtime may be missing; in CI it may not.
  describe.skipIf(!runtime.found && process.env.CI !== "true")(`the service on ${runtime.name}`, () => {
    test.each(["source", "bundle"])("from %s is proven, answers, and drains on SIGTERM", async (kind) => {
      const program = kind === "source" ? source : join(bundle, "main.js");
      await using service = await startProcess(runtime, { program, dirs: [tabularDir, magikaDir] });
      const ready = await fetch(`${service.url}/readyz`);
      expect([ready.status, await ready.text()]).toEqual([200, "ok"]);
      const answer = await predict(service, JSON.stringify(sample));
      expect([answer.status, (await answer.json()).model.name]).toEqual([200, "tabular"]);
      const bytes = await fetch(`${service.url}/v1/models/magika/predict`, {
        method: "POST",
        body: await Bun.file(source).arrayBuffer(),
        headers: { authorization: `Bearer ${service.key}`, "content-type": "application/octet-stream" },
      });
      expect((await bytes.json()).output.label).toBe("typescript");
      service.kill("SIGTERM");
      expect(await service.exited).toBe(0);
      expect(service.output()).toContain('"message":"drained"');
    });

    test("answers bad input over a real connection with problems, and goes on", async () => {
      await using service = await startProcess(runtime, { env: { SLUICE_MAX_BODY_BYTES: "1000" } });
      const chunked = new ReadableStream({
        start(controller) {
          for (let i = 0; i < 3; i += 1) controller.enqueue(new Uint8Array(500).fill(0x20));
          controller.close();
        },
      });
      const bad: [BodyInit, Record<string, string>, number, string][] = [
        ["", {}, 400, "body-empty"],
        ["{", {}, 400, "json-malformed"],
        [" ".repeat(2000), {}, 413, "body-too-large"],
        [chunked, {}, 413, "body-too-large"],
        ["{}", { "content-type": "text/plain" }, 415, "content-type-unsupported"],
        ["{}", {}, 422, "key-missing"],
        ["{}", { authorization: "Bearer no" }, 401, "credentials-invalid"],
      ];
      for (const [body, headers, status, code] of bad) {
        const response = await predict(service, body, headers);
        expect([response.status, (await response.json()).code]).toEqual([status, code]);
      }
      expect((await predict(service, JSON.stringify(sample))).status).toBe(200);
    });

    test("finishes the requests that run when it is told to drain", async () => {
      await using service = await startProcess(runtime, { env: { SLUICE_NOTICE_MS: "1500" } });
      const asked = Array.from({ length: 20 }, () => predict(service, JSON.stringify(sample)));
      await asked[0];
      service.kill("SIGTERM");
      const answers = await Promise.allSettled(asked);
      expect(answers.map((answer) => (answer.status === "fulfilled" ? answer.value.status : "cut"))).not.toContain(
        "cut",
      );
      expect(await service.exited).toBe(0);
    });

    test("ends at once on a second signal", async () => {
      await using service = await startProcess(runtime, { env: { SLUICE_NOTICE_MS: "600000" } });
      service.kill("SIGTERM");
      await until("the drain", () => (service.output().includes('"message":"draining"') ? true : undefined));
      service.kill("SIGTERM");
      expect(await service.exited).toBe(1);
      expect(service.output()).toContain("Ended by a second SIGTERM");
    });

    test("takes up a key file that changes, without a restart", async () => {
      await using folder = await temporaryFolder();
      const keyFile = join(folder.path, "keys.json");
      const first = createKey({ schema: "sluice/keys/v1", keys: [] }, { id: "one", scopes: ["predict"] });
      await writeKeys(keyFile, first.file);
      await using service = await startProcess(runtime, { keyFile, folder: folder.path });
      const second = createKey(first.file, { id: "two", scopes: ["predict"] });
      const ask = async (key: string) => (await predict({ ...service, key }, JSON.stringify(sample))).status;
      expect([await ask(first.key), await ask(second.key)]).toEqual([200, 401]);
      await writeKeys(keyFile, revokeKey(second.file, "one", "2026-01-01T00:00:00Z"));
      await until("the new keys", async () => ((await ask(second.key)) === 200 ? true : undefined));
      expect(await ask(first.key)).toBe(401);
    });

    test("keeps answers by Idempotency-Key in a file, over a restart", async () => {
      await using folder = await temporaryFolder();
      const keyFile = join(folder.path, "keys.json");
      const { file, key } = createKey({ schema: "sluice/keys/v1", keys: [] }, { id: "one", scopes: ["predict"] });
      await writeKeys(keyFile, file);
      const env = { SLUICE_IDEMPOTENCY: join(folder.path, "answers.db") };
      const replayed: (string | null)[] = [];
      for (const _ of ["first", "again"]) {
        await using service = await startProcess(runtime, { keyFile, folder: folder.path, env });
        const answer = await predict({ ...service, key }, JSON.stringify(sample), { "idempotency-key": "k1" });
        replayed.push(answer.headers.get("idempotency-replayed"));
        service.kill("SIGTERM");
        expect([answer.status, await service.exited]).toEqual([200, 0]);
      }
      expect(replayed).toEqual([null, "true"]);
    });

    test("refuses a changed model with exit code 3 and names the file and both digests", async () => {
      const dir = await aModelCopy();
      await edit(dir, "golden.json", "sluice/golden/v1", "sluice/golden/v2");
      const { process: service } = await spawnProcess(runtime, { dirs: [dir] });
      await using _ = service;
      expect(await service.exited).toBe(3);
      expect(service.output()).toMatch(/golden\.json.*digest is sha256:.*manifest says sha256:/);
    });

    test("refuses a bad configuration with exit code 2 and names the variable", async () => {
      const { process: service } = await spawnProcess(runtime, { env: { SLUICE_WORKERS: "many" } });
      await using _ = service;
      expect(await service.exited).toBe(2);
      expect(service.output()).toContain("SLUICE_WORKERS");
    });
  });
}
