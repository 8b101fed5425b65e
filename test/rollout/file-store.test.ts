import { fileStore } from "../../pipeline/src/rollout/file-store.ts";
import { leaseMs } from "../../pipeline/src/rollout/lease.ts";
import { storeConformance } from "../conformance/store.ts";
import { VirtualClock } from "../support/clock.ts";
import { temporaryFolder } from "../support/folder.ts";

storeConformance("fileStore", async () => {
  const folder = await temporaryFolder();
  const clock = new VirtualClock();
  return {
    store: fileStore(folder.path, clock),
    reopen: () => fileStore(folder.path, clock),
    lapse: () => clock.advance(leaseMs + 1),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
});
