import { cp, mkdir, mkdtemp, realpath, rename, rm, stat, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Images } from "../../../pipeline/src/spec/images.ts";
import { readYaml } from "../../../pipeline/src/spec/read.ts";
import { runTool } from "../../../pipeline/src/stage/tool.ts";

const certificates = "/etc/ssl/certs/ca-certificates.crt";
const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "sluice-ci", "bases-2");

/** Debian programs that build and run images without a daemon; root only. */
export const tools = ["buildah", "runc", "mmdebstrap", "bwrap", "setpriv", "prlimit"];

/** The first of `tools` that is not there, or a reason why they cannot be used. */
export async function whyNoContainers(): Promise<string | undefined> {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "not root on Linux";
  for (const tool of tools) {
    const { outcome } = await runTool(tool, ["--version"], { timeoutMs: 30_000 });
    if (outcome !== "exited") return `${tool} is not there`;
  }
  return undefined;
}

/**
 * Stand-ins for the images of policies/images.yaml, from Debian and npm packages: a build base with Node and npm, a
 * runtime base with glibc and libstdc++ and nothing else. Kept in a storage of its own, which `remove` takes away.
 */
export async function makeBases(): Promise<{ images: Images; remove: () => Promise<void> }> {
  const storage = await mkdtemp(join(tmpdir(), "sluice-storage-"));
  const conf = join(storage, "storage.conf");
  const paths = `graphroot = "${storage}/graph"\nrunroot = "${storage}/run"`;
  await writeFile(conf, `[storage]\ndriver = "overlay"\n${paths}\n`);
  Object.assign(process.env, { CONTAINERS_STORAGE_CONF: conf, BUILDAH_ISOLATION: "chroot" });
  const bases = await baseArchives();
  await importBase("build", bases.build, buildEnvironment);
  await importBase("runtime", bases.runtime, {});
  return { images: await localImages(), remove: () => rm(storage, { recursive: true, force: true }) };
}

/** What the build base's commands find in their environment. */
const buildEnvironment = { NODE_EXTRA_CA_CERTS: certificates };

/** Gives both bases to the Docker daemon at `host`. */
export async function importBases(host: string): Promise<void> {
  const environment = Object.entries(buildEnvironment).map(([name, value]) => `ENV ${name}=${value}`);
  for (const [name, tar] of Object.entries(await baseArchives())) {
    const changes = name === "build" ? environment.flatMap((change) => ["--change", change]) : [];
    const image = `localhost/sluice-test/${name}:1`;
    await expectZero("docker", ["--host", host, "import", ...changes, tar, image]);
  }
}

/** The root file systems of both bases as tar archives, made once. */
async function baseArchives(): Promise<{ build: string; runtime: string }> {
  await mkdir(cache, { recursive: true });
  return { build: await keep("build.tar", debootstrap), runtime: await keep("runtime.tar", extract) };
}

/** policies/images.yaml with both bases in place of its own. */
export async function localImages(): Promise<Images> {
  const { images, ...rest } = await readYaml(join(import.meta.dirname, "../../../policies/images.yaml"), Images);
  const local = (name: string) => ({ reference: `localhost/sluice-test/${name}:1` });
  return { ...rest, images: { ...images, build: local("build"), runtime: local("runtime") } };
}

/** Makes `name` in the cache once; under another name first, so that a run cut short leaves nothing half done. */
async function keep(name: string, make: (path: string) => Promise<void>): Promise<string> {
  const path = join(cache, name);
  if (await stat(path).catch(() => undefined)) return path;
  const folder = await mkdtemp(join(cache, "making-"));
  await make(join(folder, name));
  await rename(join(folder, name), path);
  await rm(folder, { recursive: true });
  return path;
}

async function debootstrap(path: string): Promise<void> {
  const overlay = await mkdtemp(join(tmpdir(), "sluice-base-"));
  const require = createRequire(import.meta.url);
  const node = require.resolve(`node-${process.platform}-${process.arch}/bin/node`);
  await cp(node, join(overlay, "usr/local/bin/node"), { recursive: true });
  const npm = dirname(dirname(await realpath(await which("npm"))));
  await cp(npm, join(overlay, "usr/local/lib/node_modules/npm"), { recursive: true });
  const hooks = [
    ["--customize-hook", `cp -a ${overlay}/usr "$1"/`],
    ["--customize-hook", 'ln -s ../lib/node_modules/npm/bin/npm-cli.js "$1"/usr/local/bin/npm'],
    ["--customize-hook", `cp ${certificates} "$1"${certificates}`],
  ].flat();
  await expectZero("mmdebstrap", ["--variant=minbase", "--include=ca-certificates", ...hooks, "bookworm", path]);
  await rm(overlay, { recursive: true });
}

async function extract(path: string): Promise<void> {
  const whole = `${path}.whole.tar`;
  const root = await mkdtemp(join(tmpdir(), "sluice-base-"));
  await expectZero("mmdebstrap", ["--variant=extract", "--include=libstdc++6", "bookworm", whole]);
  await expectZero("tar", ["-xpf", whole, "-C", root, "--exclude=./dev/*", "--exclude=./var/*/apt"]);
  await expectZero("tar", ["-cf", path, "-C", root, "--numeric-owner", "."]);
  await rm(root, { recursive: true });
}

async function importBase(name: string, tar: string, env: Record<string, string>): Promise<void> {
  const container = (await expectZero("buildah", ["from", "scratch"])).trim();
  await expectZero("buildah", ["add", container, tar, "/"]);
  const variables = Object.entries(env).flatMap(([key, value]) => ["--env", `${key}=${value}`]);
  if (variables.length > 0) await expectZero("buildah", ["config", ...variables, container]);
  await expectZero("buildah", ["commit", "--rm", "--timestamp", "0", container, `localhost/sluice-test/${name}:1`]);
}

async function which(program: string): Promise<string> {
  return (await expectZero("sh", ["-c", `command -v ${program}`])).trim();
}

async function expectZero(program: string, args: string[]): Promise<string> {
  const ran = await runTool(program, args, { timeoutMs: 600_000 });
  if (ran.exitCode === 0) return ran.stdout;
  throw new Error(`Cannot run ${program} ${args[0]}: ${ran.outcome} ${ran.exitCode}: ${ran.stderr.slice(-2_000)}`);
}
