import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { StartRevision } from "../../pipeline/src/spec/site.ts";

/** A revision that costs next to nothing, in the environment of the service. */
const revision = `
import { renameSync, writeFileSync } from "node:fs";
const { SLUICE_PORT, SLUICE_READY_FILE: ready } = process.env;
const answer = JSON.stringify({ label: "pdf", score: 0.99 });
const fetch = async (request) => {
  await request.arrayBuffer();
  return new Response(answer, { headers: { "content-type": "application/json" } });
};
const server = Bun.serve({ hostname: "127.0.0.1", port: Number(SLUICE_PORT), fetch });
process.on("SIGTERM", async () => {
  await server.stop();
  process.exit(0);
});
writeFileSync(ready + ".new", JSON.stringify({ port: server.port, pid: process.pid }));
renameSync(ready + ".new", ready);
`;

/** Stages the stand-in as a release of the site in `stateDir`. */
export async function stageStandIn(stateDir: string, releaseId: string): Promise<StartRevision> {
  const releaseDir = join(stateDir, "releases", releaseId);
  await mkdir(join(releaseDir, "bundle"), { recursive: true });
  await writeFile(join(releaseDir, "bundle", "main.js"), revision);
  return { releaseId, releaseDir, readySeconds: 30 };
}
