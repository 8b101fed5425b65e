import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

const requirements = join(import.meta.dirname, "requirements.txt");
const peer = join(import.meta.dirname, "peer.py");

/**
 * Python with the reference implementation of model signing, in a virtual environment of its own outside the repository,
 * made at first need. Undefined where there is no Python or no package registry; with CI set that is an error.
 */
export function findPeer(): ((...args: string[]) => { ok: boolean; output: string }) | undefined {
  const version = createHash("sha256").update(readFileSync(requirements)).digest("hex").slice(0, 12);
  const home = join(process.env.SLUICE_TEST_CACHE ?? join(homedir(), ".cache", "sluice-test"), `oms-${version}`);
  const python = join(home, "bin", "python");
  try {
    if (!existsSync(join(home, "ready"))) install(home);
  } catch (cause) {
    if (process.env.CI === "true") throw new Error("Cannot test against Python's model_signing in CI", { cause });
    return undefined;
  }
  return (...args) => {
    const { status, stdout, stderr } = spawnSync(python, [peer, ...args], { encoding: "utf8" });
    return { ok: status === 0, output: stdout + stderr };
  };
}

function install(home: string): void {
  rmSync(home, { recursive: true, force: true });
  mkdirSync(home, { recursive: true });
  execFileSync("python3", ["-m", "venv", home], { stdio: "ignore" });
  execFileSync(join(home, "bin", "python"), ["-m", "pip", "install", "--quiet", "-r", requirements], {
    stdio: "ignore",
  });
  mkdirSync(join(home, "ready.new"));
  renameSync(join(home, "ready.new"), join(home, "ready"));
}
