import type { Router, Runtime } from "../../rollout/ports.ts";
import { haproxyBefore } from "../haproxy/target.ts";
import { openDocker } from "./api.ts";
import { type DockerWanted, dockerBacking } from "./backing.ts";

/** `host` is the daemon's, `certificates` a folder for TLS, `bind` where clients come. */
export type DockerTarget = DockerWanted & { host: string; certificates?: string | undefined; bind: string };

/** HAProxy on this machine before revisions that are containers. The daemon's network must be reachable from here. */
export async function openDockerTarget({
  host,
  certificates,
  bind,
  ...wanted
}: DockerTarget): Promise<Router & Runtime> {
  const backing = dockerBacking(openDocker(host, certificates), wanted);
  await backing.refreshKeys();
  return haproxyBefore(backing, { stateDir: wanted.stateDir, bind });
}
