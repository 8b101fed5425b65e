import type { Command } from "commander";
import { exitCodes } from "../decide/exit.ts";
import { pullManifest } from "../release/oci/blob.ts";
import { previousOf, promoteImage } from "../release/oci/promote.ts";
import type { Ask } from "../release/oci/registry.ts";
import { listEnvironments } from "../release/policies.ts";
import { addCommand, type Outcome } from "./command.ts";
import { demandsOf } from "./demands.ts";
import { type Place, placeOf } from "./options.ts";
import { registryFrom, withRegistryOptions } from "./registry.ts";

export function registerPromotion(image: Command): void {
  registerStatus(image);
  addCommand(
    image,
    "promote",
    {
      description: "Make a published image the environment's: the same bytes, if its admission and trust allow it.",
      example: "sluice image promote registry.example/magika@sha256:… --environment production",
    },
    (command) => withRegistryOptions(command).argument("<address>", "host/repository:tag or host/repository@sha256:…"),
    async (flags, [address = ""]) => {
      const { ask, reference } = await registryFrom(flags, address);
      return promote(ask, reference.name, placeOf(flags));
    },
  );
  addCommand(
    image,
    "rollback",
    {
      description: "Make the image that was the environment's before its own again, if it still may be.",
      example: "sluice image rollback registry.example/magika:production --environment production",
    },
    (command) =>
      withRegistryOptions(command).argument("<address>", "host/repository:tag of any image of the repository"),
    async (flags, [address = ""]) => {
      const place = placeOf(flags);
      const { ask } = await registryFrom(flags, address);
      return promote(ask, await previousOf(ask, place.environment), place);
    },
  );
}

function registerStatus(image: Command): void {
  addCommand(
    image,
    "status",
    {
      description: "Which image each environment has, by digest.",
      example: "sluice image status registry.example/magika:production",
    },
    (command) =>
      withRegistryOptions(command).argument("<address>", "host/repository:tag of any image of the repository"),
    async (flags, [address = ""]) => {
      const { ask } = await registryFrom(flags, address);
      const names = await listEnvironments(placeOf(flags).policiesDir);
      const found = await Promise.all(names.map((name) => pullManifest(ask, name)));
      const environments = Object.fromEntries(names.map((name, i) => [name, found[i]?.descriptor.digest ?? null]));
      const text = names.map((name) => `${name.padEnd(12)} ${environments[name] ?? "none"}`).join("\n");
      return { exit: exitCodes.done, json: { environments }, text };
    },
  );
}

async function promote(ask: Ask, name: string, place: Place): Promise<Outcome> {
  const promotion = await promoteImage(ask, name, await demandsOf(place), Date.now());
  const text = `${promotion.environment} is ${promotion.digest}; before it was ${promotion.previous ?? "none"}`;
  return { exit: exitCodes.done, json: { promotion }, text };
}
