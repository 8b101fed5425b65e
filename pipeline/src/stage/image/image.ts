import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { judgeImage } from "../../decide/image.ts";
import { digestKey, newKey } from "../../release/key.ts";
import { DeployError } from "../../spec/error.ts";
import { type ImageConfig, type ImageLimits, SandboxRun, type SandboxTask } from "../../spec/image.ts";
import type { KeyFile } from "../../spec/keys.ts";
import { parseJson } from "../../spec/read.ts";
import type { Report } from "../../spec/report.ts";
import { runTool } from "../tool.ts";
import { apartArgv } from "./argv.ts";
import { readTree } from "./tree.ts";

const inside = fileURLToPath(new URL("inside.ts", import.meta.url));

/** An unpacked image. `modelDir` is the model folder whose golden answers it must give, outside the image. */
export type ImageOptions = {
  subject: string;
  rootfs: string;
  config: ImageConfig;
  limits: ImageLimits;
  modelDir: string;
};

/**
 * Inspects an unpacked image and runs it with nothing but what it needs. Needs Linux, root, and `bwrap` on the PATH:
 * without them the verdict is an `error`.
 */
export async function inspectImage(options: ImageOptions): Promise<Report> {
  const startedAt = new Date();
  const rootfs = resolve(options.rootfs);
  const tree = await readTree(rootfs);
  const run = await runApart({ ...options, rootfs });
  const { verdict, figure, checks, sizes } = judgeImage(options.config, tree, run, options.limits);
  return {
    schema: "sluice/report/v1",
    stage: "image",
    subject: options.subject,
    startedAt: startedAt.toISOString(),
    durationMs: Date.now() - startedAt.getTime(),
    verdict,
    figure,
    checks,
    facts: { sizes, files: tree.length, config: options.config, run },
  };
}

async function runApart({ rootfs, config, limits, modelDir }: ImageOptions): Promise<SandboxRun> {
  const reason = whyNot();
  if (reason !== undefined) return { kind: "unmeasured", reason };
  const folder = await mkdtemp(join(tmpdir(), "sluice-image-"));
  try {
    const task: SandboxTask = { rootfs, modelDir: resolve(modelDir), config, limits, ...(await writeKeys(folder)) };
    const taskFile = join(folder, "task.json");
    await writeFile(taskFile, JSON.stringify(task));
    const ran = await runTool("bwrap", apartArgv([process.execPath, inside, taskFile]), {
      timeoutMs: (limits.readySeconds + 120) * 1000,
    });
    if (ran.outcome === "missing") return { kind: "unmeasured", reason: "Cannot run image: bwrap is not on the PATH" };
    if (ran.exitCode !== 0) {
      return {
        kind: "unmeasured",
        reason: `Cannot run image: sandbox ${ran.outcome} ${ran.exitCode}: ${ran.stderr.trim()}`,
      };
    }
    return parseJson(ran.stdout, SandboxRun, "the sandbox's answer");
  } catch (error) {
    if (error instanceof DeployError) return { kind: "unmeasured", reason: error.message };
    throw error;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function whyNot(): string | undefined {
  if (process.platform !== "linux") return `Cannot run image: platform is ${process.platform}, expected linux`;
  if (process.getuid?.() !== 0)
    return "Cannot run image: this process is not root, and only root can become another user";
  return undefined;
}

/** A key for this run alone. The service reads the digests as another user: that file is for everybody. */
async function writeKeys(folder: string): Promise<{ keys: string; keyFile: string }> {
  const key = newKey("sandbox");
  const file: KeyFile = {
    schema: "sluice/keys/v1",
    keys: [{ id: "sandbox", digest: digestKey(key), scopes: ["predict", "read"] }],
  };
  await chmod(folder, 0o755);
  const keys = join(folder, "keys.json");
  await writeFile(keys, JSON.stringify(file));
  const keyFile = join(folder, "key");
  await writeFile(keyFile, key, { mode: 0o600 });
  return { keys, keyFile };
}
