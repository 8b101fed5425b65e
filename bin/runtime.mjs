// Plain JavaScript for any Node: finds the Bun that npm installed and hands the process over to it.
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { constants } from "node:os";

const names = {
  "linux-x64": "linux-x64",
  "linux-arm64": "linux-aarch64",
  "darwin-x64": "darwin-x64",
  "darwin-arm64": "darwin-aarch64",
};

function bunPath() {
  const platform = `${process.platform}-${process.arch}`;
  const name = names[platform];
  if (name === undefined) {
    throw new Error(`Cannot run Sluice: platform is ${platform}, known are ${Object.keys(names).join(", ")}`);
  }
  try {
    return createRequire(import.meta.url).resolve(`@oven/bun-${name}/bin/bun`);
  } catch (cause) {
    throw new Error(`Cannot run Sluice: package @oven/bun-${name} is not installed; next: npm ci`, { cause });
  }
}

/** Runs Bun with `args` on this terminal and ends this process as Bun ended. */
export function runBun(args) {
  // ONNX Runtime would report its use to its maker.
  const env = { ORT_DISABLE_TELEMETRY: "1", ...process.env };
  const child = spawn(bunPath(), args, { stdio: "inherit", env });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => {
    console.error(`Cannot run Sluice: ${error.message}`);
    process.exit(1);
  });
  child.on("exit", (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)));
}
