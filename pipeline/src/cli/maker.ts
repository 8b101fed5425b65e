import { hostname, userInfo } from "node:os";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import type { Maker } from "../release/statement.ts";
import { readJson } from "../spec/read.ts";

/** Who runs this Sluice, where, and with what. */
export async function thisMaker(): Promise<Maker> {
  const path = fileURLToPath(new URL("../../../package.json", import.meta.url));
  const { version } = await readJson(path, z.looseObject({ version: z.string() }));
  return {
    by: `${userInfo().username}@${hostname()}`,
    tools: { sluice: version, runtime: `bun ${process.versions.bun ?? "none"}` },
  };
}
