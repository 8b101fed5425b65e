import { execFileSync } from "node:child_process";
import { copyFile, cp, mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { Digest } from "../../../pipeline/src/spec/digest.ts";
import { temporaryFolder } from "../../support/folder.ts";
import type { Behaviour } from "../../support/site.ts";
import type { Daemon } from "./daemon.ts";

const echo = join(import.meta.dir, "../../fixtures/bundles/echo");
const Image = z.object({ Id: Digest });

/**
 * Makes an image of the stand-in service and nothing else: Bun, the shared libraries of this machine's Debian that it
 * needs, and its bundle. Returns the image's id.
 */
export async function makeImage({ host, docker }: Daemon, name: string, behaviour: Behaviour = {}): Promise<Digest> {
  await using folder = await temporaryFolder();
  const root = join(folder.path, "root");
  for (const path of librariesOf(process.execPath)) await place(path, join(root, path));
  await place(process.execPath, join(root, "app/bun"));
  await cp(echo, join(root, "app"), { recursive: true });
  await mkdir(join(root, "app/model"));
  await writeFile(join(root, "app/model/behaviour.json"), JSON.stringify(behaviour));
  const archive = `${folder.path}/root.tar`;
  execFileSync("tar", ["-cf", archive, "-C", root, "--owner=0", "--group=0", "--mode=a+rX", "."]);
  const reference = `sluice-test/${name}:1`;
  const query = new URLSearchParams({ fromSrc: "-", repo: `sluice-test/${name}`, tag: "1" });
  for (const change of ['ENTRYPOINT ["/app/bun", "/app/main.js"]', "ENV SLUICE_MODELS=/app/model"]) {
    query.append("changes", change);
  }
  const answer = await fetch(`http://docker/images/create?${query}`, {
    method: "POST",
    unix: host.slice("unix://".length),
    body: Bun.file(archive),
  });
  if (!answer.ok) throw new Error(`Cannot make image ${name}: ${await answer.text()}`);
  await answer.text();
  return (await docker.ask("GET", `/images/${encodeURIComponent(reference)}/json`, Image)).Id;
}

/** The program loader and libraries of a program, as `ldd` tells. */
function librariesOf(program: string): string[] {
  const told = execFileSync("ldd", [program]).toString();
  return [...told.matchAll(/(\/\S+\.so\S*)/g)].map(([path]) => path);
}

async function place(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await copyFile(from, to);
}
