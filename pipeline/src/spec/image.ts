import { z } from "zod";

/** What an image's configuration says about how it is started. `user` is `uid:gid` or a name. */
export const ImageConfig = z.strictObject({
  user: z.string(),
  argv: z.array(z.string()).min(1),
  env: z.record(z.string(), z.string()),
  workdir: z.string(),
});
export type ImageConfig = z.infer<typeof ImageConfig>;

/** What an image may be and need, under `limits` of `policies/images.yaml`. Sizes in MiB. */
export const ImageLimits = z.strictObject({
  /** Unpacked, without the model. */
  unpackedMiB: z.number().positive(),
  /** Of the service at its largest, golden inputs answered. */
  memoryMiB: z.number().positive(),
  /** Threads and processes of the service. */
  threads: z.int().positive(),
  /** Seconds from start to ready, everything taken away. */
  readySeconds: z.number().positive(),
  /** Folders that the service may write to; each is an empty tmpfs when it runs. */
  tmpfs: z.array(z.string().startsWith("/")),
  /** Paths of the base image that are excused, with what is below them. */
  excused: z.array(z.string().startsWith("/")),
});
export type ImageLimits = z.infer<typeof ImageLimits>;

/** One path of the root file system. `mode` is the lower 12 bits, `size` in bytes. */
export const TreeEntry = z.strictObject({
  path: z.string().startsWith("/"),
  kind: z.enum(["file", "folder", "link", "other"]),
  mode: z.int().nonnegative(),
  uid: z.int().nonnegative(),
  gid: z.int().nonnegative(),
  size: z.int().nonnegative(),
});
export type TreeEntry = z.infer<typeof TreeEntry>;

/** How the image did with a read-only root, no capability, no new privileges, no network beyond loopback. */
export const SandboxRun = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("ran"),
    readyMs: z.number().nonnegative(),
    cases: z.int().nonnegative(),
    peakMiB: z.number().nonnegative(),
    threads: z.int().nonnegative(),
    /** As the kernel saw the process. */
    uid: z.int().nonnegative(),
    capabilities: z.string(),
    noNewPrivileges: z.boolean(),
    /** Whether the kernel held it to the limits on memory and processes; where it may not, they are measured only. */
    isConfined: z.boolean(),
    /** Golden answers that did not agree. */
    disagreement: z.string().exactOptional(),
  }),
  z.strictObject({ kind: z.literal("ended"), exitCode: z.int(), log: z.string() }),
  z.strictObject({ kind: z.literal("unmeasured"), reason: z.string().min(1) }),
]);
export type SandboxRun = z.infer<typeof SandboxRun>;

/** What the program in the sandbox's network is told. Paths are absolute; the key files are read there, never passed. */
export const SandboxTask = z.strictObject({
  rootfs: z.string(),
  modelDir: z.string(),
  keys: z.string(),
  keyFile: z.string(),
  config: ImageConfig,
  limits: ImageLimits,
});
export type SandboxTask = z.infer<typeof SandboxTask>;
