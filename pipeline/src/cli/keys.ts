import { join } from "node:path";
import type { Command } from "commander";
import { z } from "zod";
import { exitCodes } from "../decide/exit.ts";
import { createKey, readKeys, revokeKey, writeKeys } from "../release/key.ts";
import { DeployError } from "../spec/error.ts";
import { type KeyEntry, KeyId, Scope } from "../spec/keys.ts";
import { addCommand } from "./command.ts";
import { parseOptions, placeOf } from "./options.ts";

const CreateOptions = z.object({
  scope: z.array(Scope).min(1),
  expiresAt: z.iso.datetime({ offset: true, message: "expected a time such as 2027-01-31T00:00:00Z" }).optional(),
});

export function register(program: Command): void {
  const keys = program.command("keys").description("API keys of the local site; only their digests are kept.");
  addCommand(
    keys,
    "create",
    {
      description: "Make a key and show it once, on stdout.",
      example: "sluice keys create ci --scope predict read > ci.key",
    },
    (command) =>
      command
        .argument("<id>", "name of the key's holder")
        .requiredOption("--scope <scope...>", `what it may do: ${Scope.options.join(", ")}`)
        .option("--expires-at <time>", "RFC 3339"),
    async (options, [id = ""]) => {
      const { scope, expiresAt } = parseOptions(CreateOptions, options);
      const path = keysPath(options);
      const request = { id: holderOf(id), scopes: scope, ...(expiresAt === undefined ? {} : { expiresAt }) };
      const { file, key } = createKey(await readKeys(path), request);
      await writeKeys(path, file);
      return { exit: exitCodes.done, json: { id, key }, text: key };
    },
  );
  addCommand(
    keys,
    "list",
    { description: "Every key: holder, scopes, and whether it still opens anything.", example: "sluice keys list" },
    (command) => command,
    async (options) => {
      const file = await readKeys(keysPath(options));
      const text = file.keys.map(describe).join("\n") || "No key yet; next: sluice keys create ID --scope predict";
      return { exit: exitCodes.done, json: file, text };
    },
  );
  addCommand(
    keys,
    "revoke",
    { description: "Close a key; a running service takes that up within seconds.", example: "sluice keys revoke ci" },
    (command) => command.argument("<id>", "name of the key's holder"),
    async (options, [id = ""]) => {
      const path = keysPath(options);
      await writeKeys(path, revokeKey(await readKeys(path), id, new Date().toISOString()));
      return { exit: exitCodes.done, json: { id, revoked: true }, text: `Revoked ${id}; next: sluice keys list` };
    },
  );
}

function holderOf(id: string): string {
  const holder = KeyId.safeParse(id);
  if (holder.success) return holder.data;
  throw new DeployError("E_USAGE", `Cannot create key ${id}: ${holder.error.issues[0]?.message ?? "invalid id"}`);
}

function keysPath(options: Record<string, unknown>): string {
  return join(placeOf(options).stateDir, "keys.json");
}

function describe({ id, scopes, expiresAt, revokedAt }: KeyEntry): string {
  const state = revokedAt === undefined ? `expires ${expiresAt ?? "never"}` : `revoked at ${revokedAt}`;
  return `${id}  ${scopes.join(", ")}  ${state}`;
}
