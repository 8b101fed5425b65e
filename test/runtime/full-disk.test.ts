import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { type Runtime, runtimes, startProcess } from "../support/service-process.ts";

/** A device that refuses every byte, as a full disk does. */
const full = "/dev/full";

/** The runtime with its log on a full disk. */
function onFullDisk(runtime: Runtime): Runtime {
  return {
    ...runtime,
    command: (program, leave) => ["sh", "-c", `exec "$0" "$@" >${full} 2>${full}`, ...runtime.command(program, leave)],
  };
}

describe.skipIf(!existsSync(full))("a service whose log cannot be written", () => {
  for (const runtime of runtimes) {
    test.skipIf(!runtime.found)(
      `goes on serving on ${runtime.name}`,
      async () => {
        await using service = await startProcess(onFullDisk(runtime));
        // A log of 64 KiB is written at once, and a line here has more than 150 bytes: three times it meets the disk.
        for (let times = 0; times < (3 * 65_536) / 150; times += 1) {
          expect((await fetch(`${service.url}/nowhere`)).status).toBe(404);
        }
        expect((await fetch(`${service.url}/livez`)).status).toBe(200);
        service.kill("SIGTERM");
        expect(await service.exited).toBe(0);
      },
      60_000,
    );
  }
});
