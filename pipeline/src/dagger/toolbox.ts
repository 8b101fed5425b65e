import { type Container, type Directory, dag, ReturnType } from "@dagger.io/dagger";
import { z } from "zod";
import { addressOf, type Images } from "../spec/images.ts";
import { parseReference } from "../spec/oci.ts";
import { parseJson } from "../spec/read.ts";

/** Sluice's code, the part of it that says what to install, and the models and policies to work on. */
export type Folders = { code: Directory; manifests: Directory; source: Directory };

/** The one container in which stage programs run: Sluice's code with its dependencies, and the source at `/source`. */
export function toolbox({ code, manifests, source }: Folders, images: Images): Container {
  return dag
    .container()
    .from(addressOf(images, "toolbox"))
    .withWorkdir("/sluice")
    .withEnvVariable("ONNXRUNTIME_NODE_INSTALL", "skip")
    .withDirectory(".", manifests)
    .withMountedCache("/root/.npm", dag.cacheVolume("sluice-npm"))
    .withExec(["npm", "ci", "--omit=dev", "--no-audit", "--no-fund"])
    .withoutMount("/root/.npm")
    .withDirectory(".", code)
    .withDirectory("/source", source);
}

/** The toolbox with what runs an image apart. */
export function withBubblewrap(box: Container): Container {
  const install = "command -v bwrap || { apt-get update && apt-get install -y --no-install-recommends bubblewrap; }";
  return box.withExec(["sh", "-c", install]);
}

/** A value that no call had before: what follows it is done again, whatever the engine remembers. */
export function anew(box: Container): Container {
  return box.withEnvVariable("SLUICE_RUN", crypto.randomUUID());
}

/** The host of an address such as `registry:5000/team/image:1`, without its port: what a service is bound as. */
export function hostOf(address: string): string {
  return parseReference(address).host.replace(/:\d+$/, "");
}

/** The command that runs `sluice <args>` in the toolbox, its answer as JSON. */
export function sluiceArgv(args: readonly string[]): string[] {
  return ["node", "/sluice/bin/sluice.mjs", "--source", "/source", ...args, "--json"];
}

/** Where a command leaves its document: the engine's log shows what goes on, not JSON. */
const answer = "/tmp/answer.json";
const Failure = z.strictObject({ error: z.strictObject({ code: z.string(), message: z.string() }) });

/** Runs `sluice <args> --json` in `container`, whatever its exit code: its document, and the container afterwards. */
export async function runSluice<S extends z.ZodType>(
  container: Container,
  args: readonly string[],
  document: S,
  options: { insecureRootCapabilities?: boolean } = {},
): Promise<{ document: z.output<S>; after: Container }> {
  const quiet = ["sh", "-c", `exec "$@" > ${answer}`, "sluice", ...sluiceArgv(args)];
  const after = container.withExec(quiet, { ...options, expect: ReturnType.Any });
  const text = await after.file(answer).contents();
  if (text.trim() === "") throw new Error(`Cannot run sluice ${args[0]}: ${await after.stderr()}`);
  const found = parseJson(text, z.union([document, Failure]), `the output of sluice ${args[0]}`);
  const failure = Failure.safeParse(found);
  if (failure.success) throw new Error(failure.data.error.message);
  return { document: document.parse(found), after };
}
