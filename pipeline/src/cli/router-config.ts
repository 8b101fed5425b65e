import type { Command } from "commander";
import { z } from "zod";
import { exitCodes } from "../decide/exit.ts";
import { DeployError } from "../spec/error.ts";
import { type HaproxyServer, haproxyConfig } from "../target/haproxy/config.ts";
import { addCommand } from "./command.ts";
import { parseOptions } from "./options.ts";

const Options = z.object({ bind: z.string().min(1), socket: z.string().min(1), control: z.string().min(1).optional() });

export function registerRouter(image: Command): void {
  addCommand(
    image,
    "router",
    {
      description:
        "Write the HAProxy configuration of an environment whose servers run published images; the first server gets all traffic.",
      example: "sluice image router blue=10.0.0.11:8080 green=10.0.0.12:8080 red=10.0.0.13:8080 > haproxy.cfg",
    },
    (command) =>
      command
        .argument("<server...>", "name=host:port; three or more")
        .option("--bind <address>", "where clients come", "0.0.0.0:8080")
        .option("--socket <path>", "the runtime API", "/run/haproxy/admin.sock")
        .option("--control <address>", "the runtime API on host:port too; it has no password"),
    async (flags, names) => {
      const { bind, socket, control } = parseOptions(Options, flags);
      const servers = names.map((name, i) => parseServer(name, i === 0 ? 100 : 0));
      const place = { bind, socket, ...(control === undefined ? {} : { controlBind: control }) };
      const text = haproxyConfig(place, servers).trimEnd();
      return { exit: exitCodes.done, json: { config: text, servers }, text };
    },
  );
}

function parseServer(text: string, weight: number): HaproxyServer {
  const { id, host, port } = /^(?<id>[a-z][a-z0-9-]*)=(?<host>[^\s:]+):(?<port>\d{1,5})$/.exec(text)?.groups ?? {};
  if (id !== undefined && host !== undefined && port !== undefined) return { id, host, port: Number(port), weight };
  throw new DeployError("E_USAGE", `Cannot use server ${text}: expected name=host:port such as blue=10.0.0.11:8080`);
}
