import { z } from "zod";
import { DeployError } from "../../spec/error.ts";
import type { Docker } from "./api.ts";
import { type ContainerWanted, containerOf, labels } from "./container.ts";

const Named = z.object({ Id: z.string() });

const Networks = z.record(
  z.string(),
  z.object({
    IPAddress: z.string(),
    IPAMConfig: z.object({ IPv4Address: z.string().optional() }).nullish(),
  }),
);

const Inspected = z.object({
  Id: z.string(),
  Created: z.string(),
  RestartCount: z.int().nonnegative(),
  State: z.object({ Status: z.string(), Pid: z.int().nonnegative(), ExitCode: z.int() }),
  Config: z.object({ Labels: z.record(z.string(), z.string()) }),
  NetworkSettings: z.object({ Networks }),
});

/** One revision's container. `status` is Docker's word: created, running, restarting, exited, dead. */
export type Container = {
  id: string;
  created: string;
  owner: string;
  revision: string;
  releaseId: string;
  status: string;
  pid: number;
  exitCode: number;
  restarts: number;
  /** Kept over restarts. */
  address: string;
};

const logLines = 20;

/** The containers that run revisions, of every owner, oldest first. */
export async function listContainers(docker: Docker): Promise<Container[]> {
  const filters = encodeURIComponent(JSON.stringify({ label: [labels.owner] }));
  const listed = await docker.ask("GET", `/containers/json?all=1&filters=${filters}`, z.array(Named));
  const found = await Promise.all(listed.map(({ Id }) => findContainer(docker, Id)));
  return found.filter((one) => one !== undefined).toSorted((a, b) => a.created.localeCompare(b.created));
}

/** One container, or undefined when it is gone. */
export async function findContainer(docker: Docker, id: string): Promise<Container | undefined> {
  const found = await docker.find(`/containers/${id}/json`, Inspected);
  return found === undefined ? undefined : describe(found);
}

/** Creates the revision's container; returns its id. Throws `E_STATE` when the daemon has no such image. */
export async function createContainer(docker: Docker, wanted: ContainerWanted): Promise<string> {
  const { image } = wanted;
  if ((await docker.find(`/images/${image}/json`, Named)) === undefined) {
    throw new DeployError(
      "E_STATE",
      `Cannot start revision ${wanted.revision}: the Docker daemon has no image ${image}; next: sluice image build`,
    );
  }
  const name = `sluice-${wanted.owner}-${wanted.revision}`;
  const path = `/containers/create?name=${encodeURIComponent(name)}`;
  const { Id } = await docker.ask("POST", path, Named, containerOf(wanted));
  return Id;
}

/** Starts a created or ended container; one that runs is no error. */
export async function startContainer(docker: Docker, id: string): Promise<void> {
  await docker.tell("POST", `/containers/${id}/start`);
}

/** SIGTERM, and SIGKILL after `seconds`. One that is gone is done already. */
export async function haltContainer(docker: Docker, id: string, seconds: number): Promise<void> {
  await docker.tell("POST", `/containers/${id}/stop?t=${Math.ceil(seconds)}`, { expected: [404] });
}

/** Halts the container, then removes it. */
export async function endContainer(docker: Docker, id: string, seconds: number): Promise<void> {
  await haltContainer(docker, id, seconds);
  // 409: its removal is under way.
  await docker.tell("DELETE", `/containers/${id}?force=1&v=1`, { expected: [404, 409] });
}

/** The last lines that a container wrote. */
export async function logOf(docker: Docker, id: string): Promise<string> {
  return textOf(await docker.read(`/containers/${id}/logs?stdout=1&stderr=1&tail=${logLines}`));
}

/** Docker's stream of both outputs: each piece has 8 bytes before it, the last four are its length. */
function textOf(stream: Buffer): string {
  let text = "";
  for (let at = 0; at + 8 <= stream.length; ) {
    const length = stream.readUInt32BE(at + 4);
    text += stream.toString("utf8", at + 8, at + 8 + length);
    at += 8 + length;
  }
  return text.trimEnd();
}

function describe({
  Id,
  Created,
  RestartCount,
  State,
  Config,
  NetworkSettings,
}: z.output<typeof Inspected>): Container {
  const network = Object.values(NetworkSettings.Networks)[0];
  return {
    id: Id,
    created: Created,
    owner: Config.Labels[labels.owner] ?? "",
    revision: Config.Labels[labels.revision] ?? "",
    releaseId: Config.Labels[labels.release] ?? "",
    status: State.Status,
    pid: State.Pid,
    exitCode: State.ExitCode,
    restarts: RestartCount,
    address: network?.IPAMConfig?.IPv4Address ?? network?.IPAddress ?? "",
  };
}
