import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import type { Router, Runtime } from "../../../pipeline/src/rollout/ports.ts";
import type { Digest } from "../../../pipeline/src/spec/digest.ts";
import type { SiteState, StartRevision } from "../../../pipeline/src/spec/site.ts";
import { dockerDown, dockerStatus, openDockerTarget } from "../../../pipeline/src/target/docker/target.ts";
import { haproxyDown } from "../../../pipeline/src/target/haproxy/up.ts";
import { refusalOf } from "../../conformance/refusal.ts";
import { routerConformance } from "../../conformance/router.ts";
import { runtimeConformance } from "../../conformance/runtime.ts";
import { isInstalled } from "../../support/external.ts";
import { countAnswers, startTraffic } from "../../support/traffic.ts";
import { until } from "../../support/until.ts";
import { freePorts } from "../haproxy/fixture.ts";
import { type Daemon, freeSubnet, hasDaemon, removeContainers, startDaemon } from "./daemon.ts";
import { makeImage } from "./image.ts";

const limits = { memoryMiB: 512, threads: 128, tmpfs: ["/tmp"] };

setDefaultTimeout(60_000);

let daemon: Daemon;
let subnet = "";
const images: Record<"good" | "failing" | "crashing", Digest> = { good: "", failing: "", crashing: "" };

type Fixture = {
  address: string;
  stage: (releaseId: string, image?: keyof typeof images) => Promise<StartRevision>;
  open: (fence?: number) => Promise<Router & Runtime>;
  status: () => Promise<SiteState | undefined>;
  down: () => Promise<void>;
  haproxyDown: () => Promise<boolean>;
  clear: () => Promise<void>;
};

async function aTarget(): Promise<Fixture> {
  const stateDir = await mkdtemp(join(tmpdir(), "sluice-docker-state-"));
  await writeFile(join(stateDir, "keys.json"), '{"schema":"sluice/keys/v1","keys":[]}');
  const [port] = await freePorts();
  const bind = `127.0.0.1:${port}`;
  const wanted = { stateDir, bind, network: { name: "sluice", subnet }, workers: 1, limits };
  const down = () => haproxyDown(join(stateDir, "haproxy"), { drainSeconds: 0 });
  return {
    address: `http://${bind}`,
    open: (fence = 1) => openDockerTarget({ ...wanted, host: daemon.host }, { fence }),
    status: () => dockerStatus({ ...wanted, host: daemon.host }),
    down: () => dockerDown({ ...wanted, host: daemon.host }, { drainSeconds: 1 }),
    stage: async (releaseId, image = "good") => {
      const releaseDir = join(stateDir, "releases", releaseId);
      await mkdir(releaseDir, { recursive: true });
      const digest = images[image];
      const release = {
        id: releaseId,
        model: { name: "toy", version: "1.0.0", digest },
        code: { kind: "image", digest, reference: `sluice-test/${image}:1` },
        policy: { digest },
      };
      await writeFile(join(releaseDir, "release.json"), JSON.stringify(release));
      return { releaseId, releaseDir, readySeconds: 30 };
    },
    haproxyDown: down,
    clear: async () => {
      await down();
      await removeContainers(daemon.docker);
      await rm(stateDir, { recursive: true, force: true });
    },
  };
}

const isThere = hasDaemon() && isInstalled("haproxy");

describe.skipIf(!isThere)("with a Docker daemon", () => {
  beforeAll(async () => {
    daemon = await startDaemon();
    subnet = await freeSubnet();
    images.good = await makeImage(daemon, "good");
    images.failing = await makeImage(daemon, "failing", { status: 503 });
    images.crashing = await makeImage(daemon, "crashing", { crashAtStart: 3 });
  });
  afterAll(() => daemon.close());

  routerConformance("Docker target", async () => {
    const it = await aTarget();
    const router = await it.open();
    await router.start("one", await it.stage("release-1"));
    await router.start("two", await it.stage("release-2"));
    return {
      router,
      revisions: ["one", "two"],
      send: (requests) => countAnswers(it.address, requests),
      clear: it.clear,
    };
  });

  runtimeConformance("Docker target", async () => {
    const it = await aTarget();
    const target = await it.open();
    return {
      runtime: target,
      router: target,
      good: (releaseId) => it.stage(releaseId),
      bad: async (releaseId) => ({ ...(await it.stage(releaseId, "failing")), readySeconds: 1 }),
      clear: it.clear,
    };
  });

  describe("openDockerTarget()", () => {
    let it: Fixture;
    afterEach(() => it.clear());

    async function twoArms(): Promise<Router & Runtime> {
      it = await aTarget();
      const target = await it.open();
      await target.start("one", await it.stage("release-1"));
      await target.start("two", await it.stage("release-2"));
      await target.writeStable("one");
      await target.writeWeights({ one: 50, two: 50 });
      return target;
    }

    test("gives a container nothing but what it needs", async () => {
      const target = await twoArms();
      const { pid } = (await target.list())[0] ?? { pid: 0 };
      const status = await Bun.file(`/proc/${pid}/status`).text();
      expect(status).toMatch(/^Uid:\t65532\t65532\t65532\t65532$/m);
      expect(status).toMatch(/^CapBnd:\t0000000000000000$/m);
      expect(status).toMatch(/^CapEff:\t0000000000000000$/m);
      expect(status).toMatch(/^NoNewPrivs:\t1$/m);
      const mounts = await Bun.file(`/proc/${pid}/mounts`).text();
      expect(mounts).toMatch(/ \/ overlay ro,/);
      expect(mounts).toMatch(/ \/tmp tmpfs rw,/);
      expect(mounts).toMatch(/ \/run\/sluice \S+ ro,/);
      const network = await daemon.docker.ask("GET", "/networks/sluice", z.object({ Internal: z.boolean() }));
      expect(network.Internal).toBe(true);
      const Ports = z.array(
        z.object({ HostConfig: z.object({ NetworkMode: z.string() }), Ports: z.array(z.unknown()) }),
      );
      for (const one of await daemon.docker.ask("GET", "/containers/json", Ports)) {
        expect(one).toEqual({ HostConfig: { NetworkMode: "sluice" }, Ports: [] });
      }
    });

    test("takes a revision in and another out under load without a failed request", async () => {
      const target = await twoArms();
      const traffic = startTraffic(it.address, () => ({ method: "POST", body: "x" }));
      await target.start("three", await it.stage("release-3"));
      await target.writeWeights({ one: 20, three: 80 });
      await traffic.more(50);
      await target.stop("two", { drainSeconds: 5 });
      await traffic.more(50);
      expect((await traffic.end()).failed).toEqual([]);
      expect((await target.list()).map(({ id }) => id).sort()).toEqual(["one", "three"]);
    });

    test("has a killed container back at its address", async () => {
      const target = await twoArms();
      const before = await target.addressOf("two");
      const pid = (await target.list()).find(({ id }) => id === "two")?.pid ?? 0;
      process.kill(pid, "SIGKILL");
      await until("it to be back", async () => {
        const revision = (await target.list()).find(({ id }) => id === "two");
        return (revision?.state === "ready" && revision.pid !== pid && revision.restarts === 1) || undefined;
      });
      expect(await target.addressOf("two")).toBe(before);
      await until("HAProxy to find it well", async () => (await countAnswers(it.address, 10)).has("two") || undefined);
    });

    test("finds all as it was when it is opened again", async () => {
      await twoArms();
      await it.haproxyDown();
      const again = await it.open();
      expect(await again.readWeights()).toEqual({ one: 50, two: 50 });
      expect(await again.readStable()).toBe("one");
      await until(
        "HAProxy to find both well",
        async () => (await countAnswers(it.address, 20)).size === 2 || undefined,
      );
    });

    test("comes back whole after it was taken down", async () => {
      await twoArms();
      await it.down();
      expect((await it.status())?.revisions).toBeUndefined();
      await it.open();
      expect((await countAnswers(it.address, 20)).size).toBe(2);
      const status = await it.status();
      expect(status).toMatchObject({ address: it.address, stable: "one", weights: { one: 50, two: 50 } });
      expect(status?.revisions.map(({ state }) => state)).toEqual(["ready", "ready"]);
    });

    test("refuses a holder that was overtaken, before HAProxy hears of it", async () => {
      const target = await twoArms();
      const newer = await it.open(5);
      await newer.writeWeights({ one: 100 });
      await refusalOf(target.writeWeights({ two: 100 }), "E_LEASE");
      await refusalOf(target.start("three", await it.stage("release-3")), "E_LEASE");
      expect(await newer.readWeights()).toEqual({ one: 100 });
    });

    test("says how a container ended, with its last lines", async () => {
      it = await aTarget();
      const target = await it.open();
      const error = await refusalOf(target.start("one", await it.stage("release-1", "crashing")), "E_STATE");
      expect(error.message).toMatch(/: it ended( with exit code 3)?, expected ready/);
      expect(error.message).toContain("this is the last line");
      expect(await target.list()).toEqual([]);
    });

    test("gives running containers the keys as they are when it is opened", async () => {
      it = await aTarget();
      const target = await it.open();
      await target.start("one", await it.stage("release-1"));
      const { pid } = (await target.list())[0] ?? { pid: 0 };
      const keys = '{"schema":"sluice/keys/v1","keys":[ ]}';
      await writeFile(join((await it.stage("any")).releaseDir, "../../keys.json"), keys);
      await it.open();
      expect(await Bun.file(`/proc/${pid}/root/run/sluice/keys.json`).text()).toBe(keys);
    });
  });
});
