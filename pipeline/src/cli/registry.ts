import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import { z } from "zod";
import { type Ask, openRegistry } from "../release/oci/registry.ts";
import { DeployError } from "../spec/error.ts";
import { parseReference, type Reference } from "../spec/oci.ts";
import { parseOptions } from "./options.ts";

const Options = z.object({
  username: z.string().min(1).optional(),
  passwordFile: z.string().min(1).optional(),
  plainHttp: z.boolean().default(false),
});

/** Options of every command that speaks to a registry. The password comes from a file, never from an argument. */
export function withRegistryOptions(command: Command): Command {
  return command
    .option("--username <name>", "user of the registry")
    .option("--password-file <path>", "file with the user's password or token")
    .option("--plain-http", "speak HTTP: for a registry on loopback or in a test");
}

/** Opens the repository of `address`. */
export async function registryFrom(
  options: Record<string, unknown>,
  address: string,
): Promise<{ ask: Ask; reference: Reference }> {
  const { username, passwordFile, plainHttp } = parseOptions(Options, options);
  const reference = parseReference(address);
  if ((username === undefined) !== (passwordFile === undefined)) {
    throw new DeployError("E_USAGE", "Cannot use registry: --username and --password-file come together");
  }
  const password = passwordFile === undefined ? "" : (await readFile(passwordFile, "utf8")).trim();
  const credentials = username === undefined ? {} : { credentials: { username, password } };
  const { host, repository } = reference;
  return { ask: openRegistry({ host, repository, plainHttp, ...credentials }), reference };
}
