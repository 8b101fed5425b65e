import { parseArgs } from "node:util";
import { z } from "zod";
import { DeployError } from "../../spec/error.ts";
import { lockedExitCode } from "./lock.ts";
import { serveSite } from "./serve.ts";

// The site's own process: bun main.ts --state DIR --host H --port P --workers N [--share-port]
const Options = z.strictObject({
  state: z.string().min(1),
  host: z.string().min(1),
  port: z.coerce.number().int().min(0).max(65_535),
  workers: z.coerce.number().int().positive(),
  "share-port": z.boolean(),
});

try {
  const { values } = parseArgs({
    options: {
      state: { type: "string" },
      host: { type: "string", default: "127.0.0.1" },
      port: { type: "string", default: "0" },
      workers: { type: "string", default: "1" },
      "share-port": { type: "boolean", default: false },
    },
  });
  const { "share-port": isShared, ...options } = Options.parse(values);
  const site = await serveSite({ ...options, isShared });
  // Revisions live on: the next site takes them over. `sluice site down` ends them too.
  process.on("SIGTERM", site.end);
  process.on("SIGINT", site.end);
  await site.ended;
  process.exit(0);
} catch (error) {
  console.error(error instanceof DeployError ? error.message : error);
  process.exit(exitCode(error));
}

function exitCode(error: unknown): number {
  if (!(error instanceof DeployError)) return 1;
  return error.code === "E_LEASE" ? lockedExitCode : 2;
}
