import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { DeployError } from "../../spec/error.ts";
import type { SitePaths } from "./paths.ts";
import { ownProcess, type Process } from "./process.ts";

/** What of the site's own environment its children see, telemetry's settings too; all else, and so any secret, stays out. */
const inherited = /^(PATH|HOME|TMPDIR|TZ|LANG|LC_[A-Z]+|OTEL_[A-Z_]+|SLUICE_OTLP|SLUICE_TRACE_RATIO)$/;

/** The part of `environment` that a child process may see. */
export function passedOn(environment: NodeJS.ProcessEnv): Record<string, string> {
  const pairs = Object.entries(environment).filter(([name]) => inherited.test(name));
  return Object.fromEntries(pairs.map(([name, value]) => [name, value ?? ""]));
}

/** The environment of a revision that serves the release in `releaseDir` on `port`, or on a free one when that is 0. */
export function revisionEnvironment(
  id: string,
  releaseDir: string,
  { paths, workers, port }: { paths: SitePaths; workers: number; port: number },
): Record<string, string> {
  const record = join(releaseDir, "record.json");
  return {
    // ONNX Runtime would report its use to its maker.
    ORT_DISABLE_TELEMETRY: "1",
    SLUICE_HOST: "127.0.0.1",
    SLUICE_PORT: String(port),
    SLUICE_MODELS: join(releaseDir, "model"),
    SLUICE_KEYS: paths.keys,
    SLUICE_REVISION: id,
    SLUICE_WORKERS: String(workers),
    SLUICE_READY_FILE: paths.readyFileOf(id),
    // One for all: a retry that meets another release, or a process started anew, gets the answer that was given.
    SLUICE_IDEMPOTENCY: paths.idempotency,
    ...(existsSync(record) ? { SLUICE_RECORD: record } : {}),
  };
}

/** Starts a program of its own session whose output goes straight to a file: it outlives this process. */
export async function launch(
  script: string,
  args: string[],
  { log, env, cwd }: { log: string; env: Record<string, string>; cwd: string },
): Promise<Process> {
  await mkdir(dirname(log), { recursive: true, mode: 0o700 });
  const output = await open(log, "a", 0o600);
  try {
    const child = spawn(process.execPath, [script, ...args], {
      cwd,
      env: { ...passedOn(process.env), ...env },
      detached: true,
      stdio: ["ignore", output.fd, output.fd],
    });
    child.unref();
    if (child.pid === undefined) {
      const [cause] = await once(child, "error");
      throw new DeployError("E_TOOL", `Cannot start ${process.execPath}: ${cause}`, { cause });
    }
    return ownProcess(child, child.pid);
  } finally {
    await output.close();
  }
}
