import { expect, test } from "bun:test";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { tellReload } from "../../../pipeline/src/target/haproxy/master.ts";

// As HAProxy does while it comes up: deaf to the signal, until it is told to listen.
const deafAtFirst = `trap '' USR2; echo deaf; read go; trap 'echo heard; exit' USR2; while :; do sleep 0.05; done`;

test.skipIf(process.platform !== "linux")("tellReload() waits until the master listens", async () => {
  const master = spawn("bash", ["-c", deafAtFirst], { stdio: ["pipe", "pipe", "inherit"] });
  try {
    expect(String((await once(master.stdout, "data"))[0])).toBe("deaf\n");
    const told = tellReload(master.pid ?? 0, 20);
    master.stdin.end("go\n");
    const [[word]] = await Promise.all([once(master.stdout, "data"), told]);
    expect(String(word)).toBe("heard\n");
  } finally {
    master.kill("SIGKILL");
  }
});
