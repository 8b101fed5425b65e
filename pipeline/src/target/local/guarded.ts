import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Flags, writeFlags } from "./flags.ts";
import { passedOn } from "./launch.ts";

const script = fileURLToPath(new URL("guard.ts", import.meta.url));
/** How long a site is without a guard when that has ended. */
const againMs = 1_000;

/** Has another process watch over this one, which is the site of `flags`, and start it again when it is killed. */
export function guarded(flags: Flags, log: string): { dismiss: () => void } {
  let isDismissed = false;
  let guard = start();
  return {
    dismiss: () => {
      isDismissed = true;
      guard.stdin?.end("goodbye");
    },
  };

  function start() {
    const output = openSync(log, "a", 0o600);
    const child = spawn(process.execPath, [script, ...writeFlags(flags)], {
      env: passedOn(process.env),
      detached: true,
      stdio: ["pipe", output, output],
    });
    closeSync(output);
    child.stdin?.on("error", () => {}); // it has ended: that is told below
    child.on("error", (error) => console.error(`Cannot start the site's guard: ${error.message}`));
    child.once("exit", () => {
      if (!isDismissed) setTimeout(() => (guard = start()), againMs).unref();
    });
    child.unref();
    return child;
  }
}
