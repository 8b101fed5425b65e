import { parentPort } from "node:worker_threads";
import { ReplayTask } from "../spec/verify.ts";
import { replayGolden } from "./golden-replay.ts";

/** The thread of `golden-worker.ts`: loads ONNX Runtime, then replays the one task that it is sent. */
parentPort?.once("message", async (task) => parentPort?.postMessage(await replayGolden(ReplayTask.parse(task))));
