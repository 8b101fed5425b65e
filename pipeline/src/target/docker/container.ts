import type { Digest } from "../../spec/digest.ts";
import type { ImageLimits } from "../../spec/image.ts";

/** The user that every image of the service runs as. */
const user = "65532:65532";
/** The service's port inside its container; nobody publishes it. */
export const servicePort = 8080;
/** Where the folder of keys and record is, inside, and the one that all revisions may write to. */
const inside = { files: "/run/sluice", shared: "/var/lib/sluice" };

/** Labels by which a container is found again. */
export const labels = {
  owner: "dev.sluice.owner",
  revision: "dev.sluice.revision",
  release: "dev.sluice.release",
} as const;

/**
 * One revision as a container. `folder` on the daemon's machine holds `keys.json` and, once admitted, `record.json`;
 * in `shared` the revisions keep what was answered to which Idempotency-Key.
 */
export type ContainerWanted = {
  image: Digest;
  revision: string;
  releaseId: string;
  owner: string;
  folder: string;
  shared: string;
  hasRecord: boolean;
  network: string;
  address: string;
  workers: number;
  limits: Pick<ImageLimits, "memoryMiB" | "threads" | "tmpfs">;
};

/**
 * The body of `POST /containers/create`: one folder to write to, no capability and no way to gain one, no port published, a
 * network without a way out, little memory and few processes. Docker itself brings it back when it ends unasked.
 */
export function containerOf(wanted: ContainerWanted): Record<string, unknown> {
  const { limits } = wanted;
  const memory = limits.memoryMiB * 2 ** 20;
  return {
    Image: wanted.image,
    User: user,
    Labels: {
      [labels.owner]: wanted.owner,
      [labels.revision]: wanted.revision,
      [labels.release]: wanted.releaseId,
    },
    Env: environmentOf(wanted),
    HostConfig: {
      ReadonlyRootfs: true,
      CapDrop: ["ALL"],
      SecurityOpt: ["no-new-privileges"],
      PidsLimit: limits.threads,
      Memory: memory,
      MemorySwap: memory, // none beside it
      Tmpfs: Object.fromEntries(limits.tmpfs.map((path) => [path, "rw,noexec,nosuid,nodev,mode=1777,size=64m"])),
      Binds: [`${wanted.folder}:${inside.files}:ro`, `${wanted.shared}:${inside.shared}`],
      IpcMode: "private",
      Ulimits: [{ Name: "core", Soft: 0, Hard: 0 }],
      LogConfig: { Type: "json-file", Config: { "max-size": "10m", "max-file": "3" } },
      RestartPolicy: { Name: "unless-stopped" },
      NetworkMode: wanted.network,
    },
    // A fixed address: a restarted container is found where HAProxy knows it.
    NetworkingConfig: { EndpointsConfig: { [wanted.network]: { IPAMConfig: { IPv4Address: wanted.address } } } },
  };
}

function environmentOf({ revision, workers, hasRecord }: ContainerWanted): string[] {
  return [
    "SLUICE_HOST=0.0.0.0",
    `SLUICE_PORT=${servicePort}`,
    `SLUICE_KEYS=${inside.files}/keys.json`,
    `SLUICE_IDEMPOTENCY=${inside.shared}/idempotency.db`,
    `SLUICE_REVISION=${revision}`,
    `SLUICE_WORKERS=${workers}`,
    "ORT_DISABLE_TELEMETRY=1",
    ...(hasRecord ? [`SLUICE_RECORD=${inside.files}/record.json`] : []),
  ];
}
