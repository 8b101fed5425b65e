import { DeployError } from "../../spec/error.ts";
import { readFlags } from "./flags.ts";
import { lockedExitCode } from "./lock.ts";
import { serveSite } from "./serve.ts";

// The site's own process; see flags.ts for its arguments.
try {
  const { "share-port": isShared, ...options } = readFlags();
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
