import { chmodSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import type { Server } from "bun";
import { DeployError } from "../../spec/error.ts";
import type { SiteFile } from "../../spec/site.ts";
import { createAdmin } from "./admin.ts";
import { lockSite } from "./lock.ts";
import { sitePaths } from "./paths.ts";
import { createProxy } from "./proxy.ts";
import { Site } from "./site.ts";
import { readFileOfSite, readSamples } from "./state.ts";

/** How the site is started; `port` 0 takes the port it had before, else a free one. */
export type SiteOptions = { state: string; host: string; port: number; workers: number };

/** A running site. `ended` resolves when it has been asked to end and nothing is under way any more. */
export type RunningSite = { end: () => void; ended: Promise<void> };

const answerTimeoutMs = 60_000;
const holdMs = 10_000;
const idleSeconds = 120;

/** Takes the lock, brings back what was, opens the router, then the admin socket: who can ask sees a whole site. */
export async function serveSite(options: SiteOptions): Promise<RunningSite> {
  const paths = sitePaths(options.state);
  await mkdir(paths.folder, { recursive: true, mode: 0o700 });
  const lock = lockSite(paths.lock);
  const before = await readFileOfSite(paths.file);
  const site = new Site(merge(options, before), paths);
  await site.resume(await readSamples(paths.samples));

  const router = listen(site, options.host, options.port === 0 ? (before?.port ?? 0) : options.port);
  await site.listensOn(router.port ?? 0);
  const asked = Promise.withResolvers<void>();
  const admin = await openAdmin(site, paths.socket, () => asked.resolve());

  const close = async () => {
    await asked.promise;
    await router.stop();
    await admin.stop();
    await rm(paths.socket, { force: true });
    lock.release();
  };
  return { end: () => asked.resolve(), ended: close() };
}

function merge({ host, port, workers }: SiteOptions, before: SiteFile | undefined): SiteFile {
  const empty: SiteFile = { schema: "sluice/site/v1", host, port, workers, fence: 0, weights: {}, revisions: [] };
  return { ...empty, ...before, host, workers };
}

function listen(site: Site, hostname: string, port: number): Server<undefined> {
  const proxy = createProxy({
    arms: site.arms,
    meter: site.meter,
    random: Math.random,
    timeoutMs: answerTimeoutMs,
    holdMs,
  });
  try {
    return Bun.serve({
      hostname,
      port,
      idleTimeout: idleSeconds,
      fetch: (request, server) => proxy(request, server.requestIP(request)?.address ?? "unknown"),
    });
  } catch (cause) {
    throw new DeployError(
      "E_STATE",
      `Cannot start site: ${hostname}:${port} cannot be listened on (${String(cause)}); next: free it, or give another --port`,
      { cause },
    );
  }
}

/** Longest path of a unix socket on every system that Sluice runs on. */
const maxSocketPath = 103;

async function openAdmin(site: Site, path: string, end: () => void): Promise<Server<undefined>> {
  if (Buffer.byteLength(path) > maxSocketPath) {
    throw new DeployError(
      "E_STATE",
      `Cannot start site: socket path ${path} is longer than ${maxSocketPath} bytes; next: give a shorter --state`,
    );
  }
  await rm(path, { force: true });
  const admin = createAdmin({ site, end });
  const server = Bun.serve({
    unix: path,
    fetch: (request, server) => {
      server.timeout(request, 0); // a start answers when the revision is ready
      return admin(request);
    },
  });
  chmodSync(path, 0o600);
  return server;
}
