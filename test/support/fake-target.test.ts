import { routerConformance } from "../conformance/router.ts";
import { runtimeConformance } from "../conformance/runtime.ts";
import { FakeTarget } from "./fake-target.ts";

const release = (releaseId: string) => ({ releaseId, releaseDir: `/releases/${releaseId}`, readySeconds: 1 });

routerConformance("FakeTarget", async () => {
  const target = new FakeTarget();
  await target.start("one", release("release-1"));
  await target.start("two", release("release-2"));
  return {
    router: target,
    revisions: ["one", "two"],
    send: async (requests) => target.send(requests),
    clear: async () => {},
  };
});

runtimeConformance("FakeTarget", async () => {
  const bad = new Set<string>();
  const target = new FakeTarget({
    failStart: (_, { releaseId }) => (bad.has(releaseId) ? "it never was ready" : undefined),
  });
  return {
    runtime: target,
    router: target,
    good: async (releaseId) => release(releaseId),
    bad: async (releaseId) => {
      bad.add(releaseId);
      return release(releaseId);
    },
    clear: async () => {},
  };
});
