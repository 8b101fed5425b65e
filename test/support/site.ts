import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SiteState, StartRevision } from "../../pipeline/src/spec/site.ts";
import { siteDown, siteStatus, siteUp } from "../../pipeline/src/target/local/up.ts";

const echo = join(import.meta.dir, "..", "fixtures", "bundles", "echo");

/** How the stand-in service misbehaves; see `test/fixtures/bundles/echo/main.js`. */
export type Behaviour = {
  crashAtStart?: number;
  neverReady?: boolean;
  deaf?: boolean;
  delayMs?: number;
  status?: number;
};

/** A state folder with a site in it, and staged releases of the stand-in service. */
export type TestSite = {
  stateDir: string;
  /** Starts the site, or finds it running. */
  up: () => Promise<SiteState>;
  /** Stages a release of the stand-in and tells what to ask of the supervisor. */
  stage: (releaseId: string, behaviour?: Behaviour) => Promise<StartRevision>;
  /** Ends all of it. */
  clear: () => Promise<void>;
};

export async function aSite(): Promise<TestSite> {
  const stateDir = await mkdtemp(join(tmpdir(), "sluice-site-"));
  return {
    stateDir,
    up: () => siteUp({ stateDir, host: "127.0.0.1", port: 0, workers: 1 }),
    stage: async (releaseId, behaviour = {}) => {
      const releaseDir = join(stateDir, "releases", releaseId);
      await mkdir(join(releaseDir, "model"), { recursive: true });
      await cp(echo, join(releaseDir, "bundle"), { recursive: true });
      await writeFile(join(releaseDir, "model", "behaviour.json"), JSON.stringify(behaviour));
      return { releaseId, releaseDir, readySeconds: 20 };
    },
    clear: async () => {
      await siteDown(stateDir);
      for (const { pid } of (await siteStatus(stateDir))?.revisions ?? []) process.kill(pid, "SIGKILL");
      await rm(stateDir, { recursive: true, force: true });
    },
  };
}
