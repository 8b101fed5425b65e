import { openSite } from "../../../pipeline/src/target/local/client.ts";
import { routerConformance } from "../../conformance/router.ts";
import { runtimeConformance } from "../../conformance/runtime.ts";
import { aSite } from "../../support/site.ts";
import { countAnswers } from "../../support/traffic.ts";

routerConformance("local site", async () => {
  const site = await aSite();
  const { address } = await site.up();
  const target = openSite(site.stateDir, { fence: 1 });
  await target.start("one", await site.stage("release-1"));
  await target.start("two", await site.stage("release-2"));
  return {
    router: target,
    revisions: ["one", "two"],
    send: (requests) => countAnswers(address, requests),
    clear: site.clear,
  };
});

runtimeConformance("local site", async () => {
  const site = await aSite();
  await site.up();
  const target = openSite(site.stateDir, { fence: 1 });
  return {
    runtime: target,
    router: target,
    good: (releaseId) => site.stage(releaseId),
    bad: async (releaseId) => ({ ...(await site.stage(releaseId, { neverReady: true })), readySeconds: 0.3 }),
    clear: site.clear,
  };
});
