import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";

export const hasPython = Bun.which("python3") !== null;

/** The Python of a virtual environment with these packages, made once and kept beside the user's other caches. */
export async function pythonWith(name: string, packages: string[]): Promise<string> {
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "sluice", "test");
  const venv = join(cache, `${name}-${Bun.hash(packages.join()).toString(36)}`);
  const python = join(venv, "bin", "python");
  const done = join(venv, "done");
  if (existsSync(done)) return python;
  await mkdir(cache, { recursive: true });
  await rm(venv, { recursive: true, force: true });
  await run("python3", "-m", "venv", venv);
  await run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...packages);
  await Bun.write(`${done}.tmp`, packages.join("\n"));
  await rename(`${done}.tmp`, done);
  return python;
}

/** Runs a program and returns its stdout; throws with its stderr when it fails. */
export async function run(...command: string[]): Promise<string> {
  const child = Bun.spawn(command, { stdout: "pipe", stderr: "pipe" });
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  if ((await child.exited) !== 0) throw new Error(`${command.slice(0, 3).join(" ")} failed: ${err || out}`);
  return out;
}
