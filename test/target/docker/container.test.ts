import { expect, test } from "bun:test";
import { join } from "node:path";
import { DeployError } from "../../../pipeline/src/spec/error.ts";
import { openDocker } from "../../../pipeline/src/target/docker/api.ts";
import { containerOf } from "../../../pipeline/src/target/docker/container.ts";
import { openMemory } from "../../../pipeline/src/target/docker/memory.ts";
import { freeAddress } from "../../../pipeline/src/target/docker/network.ts";
import { temporaryFolder } from "../../support/folder.ts";

function codeOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof DeployError) return error.code;
  }
  return "none";
}

test("containerOf() takes everything away", () => {
  const body = containerOf({
    image: `sha256:${"a".repeat(64)}`,
    revision: "one",
    releaseId: "release-1",
    owner: "me",
    folder: "/state/docker/revisions/one",
    shared: "/state/docker/shared",
    hasRecord: false,
    network: "sluice",
    address: "172.30.0.2",
    workers: 2,
    limits: { memoryMiB: 512, threads: 256, tmpfs: [] },
  });
  expect(body).toMatchObject({
    User: "65532:65532",
    HostConfig: {
      ReadonlyRootfs: true,
      CapDrop: ["ALL"],
      SecurityOpt: ["no-new-privileges"],
      PidsLimit: 256,
      Memory: 536_870_912,
      MemorySwap: 536_870_912,
      Tmpfs: {},
      Binds: ["/state/docker/revisions/one:/run/sluice:ro", "/state/docker/shared:/var/lib/sluice"],
      NetworkMode: "sluice",
    },
  });
  expect(JSON.stringify(body)).not.toMatch(/PortBindings|PublishAllPorts|ExposedPorts|Privileged|CapAdd|SLUICE_RECORD/);
});

test.each([
  ["the first behind the host's", [], "172.30.0.2"],
  ["a gap", ["172.30.0.2", "172.30.0.4"], "172.30.0.3"],
] as const)("freeAddress() finds %s", (_, taken, address) => {
  expect(freeAddress("172.30.0.0/29", taken)).toBe(address);
});

test("freeAddress() stops before the broadcast address", () => {
  const all = [2, 3, 4, 5, 6].map((last) => `172.30.0.${last}`);
  expect(freeAddress("172.30.0.0/29", all.slice(0, -1))).toBe("172.30.0.6");
  expect(codeOf(() => freeAddress("172.30.0.0/29", all))).toBe("E_STATE");
});

test("openDocker() refuses TCP without certificates", () => {
  expect(codeOf(() => openDocker("tcp://127.0.0.1:2375"))).toBe("E_USAGE");
  expect(codeOf(() => openDocker("tcp://127.0.0.1:2376", "/nowhere"))).toBe("E_FILE");
});

test("openMemory() keeps what was changed, and refuses a holder that was overtaken", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "memory.db");
  openMemory(path, 1).change("write weights", () => ({ stable: "one", weights: { one: 100 } }));
  openMemory(path, 2).change("write weights", () => ({ weights: { one: 60, two: 40 } }));
  expect(codeOf(() => openMemory(path, 1).change("write weights", () => ({ weights: { one: 100 } })))).toBe("E_LEASE");
  expect(openMemory(path, 1).read()).toEqual({ fence: 2, stable: "one", weights: { one: 60, two: 40 } });
});
