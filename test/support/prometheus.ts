import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { stringify } from "yaml";
import { z } from "zod";
import { until } from "./until.ts";

/** A real Prometheus on a free port. */
export type Prometheus = {
  url: string;
  /** The data of an API's answer; throws with its words when it is an error. */
  ask(path: string, parameters?: Record<string, string>): Promise<unknown>;
} & AsyncDisposable;

const Answer = z.looseObject({ status: z.string(), data: z.unknown(), error: z.string().optional() });

/** Starts Prometheus with its files in `folder`; it scrapes `target` (host:port) every 100 ms. */
export async function startPrometheus(
  folder: string,
  target: string,
  { key, rules }: { key?: string; rules?: object } = {},
): Promise<Prometheus> {
  if (rules !== undefined) await writeFile(join(folder, "rules.yaml"), stringify(rules));
  const scrape = { job_name: "service", scrape_interval: "100ms", scrape_timeout: "100ms" };
  const authorization = key === undefined ? {} : { authorization: { credentials: key } };
  const config = {
    global: { evaluation_interval: "200ms" },
    ...(rules === undefined ? {} : { rule_files: ["rules.yaml"] }),
    scrape_configs: [{ ...scrape, ...authorization, static_configs: [{ targets: [target] }] }],
  };
  await writeFile(join(folder, "prometheus.yml"), stringify(config));
  const args = [
    `--config.file=${folder}/prometheus.yml`,
    `--storage.tsdb.path=${folder}/data`,
    "--web.listen-address=127.0.0.1:0",
  ];
  const child = spawn("prometheus", args, { stdio: ["ignore", "ignore", "pipe"] });
  const lines = createInterface({ input: child.stderr });
  const ready = Promise.withResolvers<string>();
  lines.on("line", (line) => {
    const found = /Listening on" address=(127\.0\.0\.1:\d+)/.exec(line)?.[1];
    if (found !== undefined) ready.resolve(`http://${found}`);
  });
  child.once("exit", (code) => ready.reject(new Error(`Prometheus ended with ${code}`)));
  const url = await ready.promise;
  await until("Prometheus to be ready", async () => ((await fetch(`${url}/-/ready`)).ok ? true : undefined));
  return {
    url,
    async ask(path, parameters = {}) {
      const response = await fetch(`${url}${path}?${new URLSearchParams(parameters)}`);
      const { status, data, error } = Answer.parse(await response.json());
      if (status !== "success") throw new Error(`Prometheus says: ${error}`);
      return data;
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
}
