import { once } from "node:events";
import { parentPort } from "node:worker_threads";
import { ReplayTask } from "../spec/verify.ts";
import { replayGolden } from "./golden-replay.ts";

/** The thread of `golden-worker.ts`: has loaded ONNX Runtime by now, and replays the one task that it is sent. */
if (parentPort !== null) {
  const [task] = await once(parentPort, "message");
  parentPort.postMessage(await replayGolden(ReplayTask.parse(task)));
}
