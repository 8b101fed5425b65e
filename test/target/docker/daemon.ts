import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { type Docker, openDocker } from "../../../pipeline/src/target/docker/api.ts";
import { isInstalled } from "../../support/external.ts";
import { until } from "../../support/until.ts";

/** A Docker daemon of the test's own: its images, containers and networks go with it. */
export type Daemon = {
  /** As `DOCKER_HOST` has it. */
  host: string;
  docker: Docker;
  close: () => Promise<void>;
};

/** A daemon needs Linux and root beside its program. */
export function hasDaemon(): boolean {
  return process.platform === "linux" && process.getuid?.() === 0 && isInstalled("dockerd");
}

/** Starts a daemon that touches nothing of the machine's own: no firewall rule, no default bridge, mounts of its own. */
export async function startDaemon(...args: string[]): Promise<Daemon> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-docker-"));
  const at = (name: string) => join(folder, name);
  await writeFile(at("daemon.json"), "{}");
  const log = await open(at("log"), "a");
  const places = ["--data-root", at("data"), "--exec-root", at("exec"), "--pidfile", at("pid")];
  const harmless = ["--iptables=false", "--ip6tables=false", "--bridge=none", "--log-level=warn"];
  const host = `unix://${at("docker.sock")}`;
  const child = spawn(
    "unshare",
    [
      ...["--mount", "--propagation", "private", "dockerd", "--config-file", at("daemon.json"), "--host", host],
      ...[...places, ...harmless, ...args],
    ],
    { stdio: ["ignore", log.fd, log.fd] },
  );
  await log.close();
  const docker = openDocker(host);
  await until("the Docker daemon to answer", async () => {
    if (child.exitCode !== null) throw new Error(`Cannot start dockerd: ${await readFile(at("log"), "utf8")}`);
    return docker.tell("GET", "/_ping").then(
      () => true,
      () => undefined,
    );
  });
  return { host, docker, close: () => end(child, docker, folder) };
}

/** A daemon that only ends would leave the bridges of its networks behind. */
async function end(child: ChildProcess, docker: Docker, folder: string): Promise<void> {
  await removeContainers(docker);
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  await ended;
  await rm(folder, { recursive: true, force: true });
}

/** A subnet that no network of this machine has, nor one that a killed test left. */
export async function freeSubnet(): Promise<string> {
  const routes = await readFile("/proc/net/route", "utf8");
  const destinations = routes.split("\n").map((line) => line.split("\t")[1]);
  const isFree = (part: number) => !destinations.includes(`00${part.toString(16).toUpperCase().padStart(2, "0")}1EAC`);
  const part = Array.from({ length: 256 }, (_, index) => index).find(isFree);
  if (part === undefined) throw new Error("Cannot test: every subnet of 172.30.0.0/16 has a route");
  return `172.30.${part}.0/24`;
}

/** Takes away every container and network, not the images. */
export async function removeContainers(docker: Docker): Promise<void> {
  const containers = await docker.ask("GET", "/containers/json?all=1", z.array(z.object({ Id: z.string() })));
  await Promise.all(containers.map(({ Id }) => docker.tell("DELETE", `/containers/${Id}?force=1&v=1`)));
  await docker.tell("POST", "/networks/prune");
}
