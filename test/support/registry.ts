import { spawn, spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Whether Debian's docker-registry is missing. It has no referrers API: what is attached goes by the fallback tag. */
export const noRegistry = spawnSync("docker-registry", ["--version"]).error !== undefined;

/** Starts a real registry on a free port of loopback, without TLS and without a password. */
export async function startRegistry(): Promise<{ host: string; stop: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-registry-"));
  const host = `127.0.0.1:${await freePort()}`;
  const config = join(folder, "config.yml");
  const storage = `storage: {filesystem: {rootdirectory: ${folder}/data}}`;
  await writeFile(config, `version: 0.1\nlog: {accesslog: {disabled: true}}\n${storage}\nhttp: {addr: "${host}"}\n`);
  const child = spawn("docker-registry", ["serve", config], {
    stdio: "ignore",
    env: { PATH: process.env.PATH, OTEL_TRACES_EXPORTER: "none" },
  });
  while (
    !(await fetch(`http://${host}/v2/`).then(
      ({ ok }) => ok,
      () => false,
    ))
  ) {
    if (child.exitCode !== null) throw new Error(`docker-registry ended with ${child.exitCode}`);
    await Bun.sleep(20);
  }
  return {
    host,
    stop: async () => {
      child.kill("SIGKILL");
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A port of loopback that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}
