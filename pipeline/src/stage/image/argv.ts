import { SERVICE_ID } from "../../decide/image.ts";
import type { SandboxTask } from "../../spec/image.ts";

/** Arguments of `bwrap` for a program that sees this machine's files and a network of its own, loopback only. */
export function apartArgv(program: readonly string[]): string[] {
  return ["--unshare-net", "--dev-bind", "/", "/", "--die-with-parent", "--", ...program];
}

/**
 * Command that starts the image's service with everything taken away: the kernel's user 65532 and no other group, no
 * capability and no way to gain one, a read-only root, an empty environment but the image's own, its own processes.
 * The network is that of the caller.
 */
export function sandboxArgv({ rootfs, keys, config, limits }: SandboxTask): string[] {
  const env = { ...config.env, SLUICE_HOST: "127.0.0.1", SLUICE_KEYS: "/run/sluice/keys.json" };
  const id = String(SERVICE_ID);
  return [
    ...["setpriv", "--reuid", id, "--regid", id, "--clear-groups", "--no-new-privs"],
    ...["--inh-caps=-all", "--ambient-caps=-all", "--bounding-set=-all"],
    ...["prlimit", `--nproc=${limits.threads}`, "--core=0"],
    ...[
      "bwrap",
      "--unshare-user",
      "--unshare-pid",
      "--unshare-ipc",
      "--unshare-uts",
      "--die-with-parent",
      "--new-session",
    ],
    ...["--ro-bind", rootfs, "/", "--proc", "/proc", "--dev", "/dev"],
    ...["--tmpfs", "/run", "--ro-bind", keys, "/run/sluice/keys.json", "--remount-ro", "/run"],
    ...limits.tmpfs.flatMap((path) => ["--tmpfs", path]),
    "--clearenv",
    ...Object.entries(env).flatMap(([name, value]) => ["--setenv", name, value]),
    ...["--chdir", config.workdir, "--", ...config.argv],
  ];
}
