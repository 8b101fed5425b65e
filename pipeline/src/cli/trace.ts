import { writeFile } from "node:fs/promises";
import type { Command } from "commander";
import { z } from "zod";
import { exitCodes } from "../decide/exit.ts";
import { formatTrace } from "../simulate/trace.ts";
import { DeployError } from "../spec/error.ts";
import { goldenRequests } from "../stage/load/request.ts";
import { recordTrace } from "../stage/load/trace.ts";
import { addCommand } from "./command.ts";
import { parseOptions, placeOf } from "./options.ts";
import { runningFrom } from "./running.ts";

const Options = z.object({
  out: z.string().min(1),
  rate: z.coerce.number().positive().max(10_000),
  seconds: z.coerce.number().min(30).max(86_400),
});

export function register(program: Command): void {
  addCommand(
    program,
    "trace",
    {
      description: "Record the latencies of a running service, for simulate --trace.",
      example: "sluice trace magika@3.3.0 --url http://127.0.0.1:8080 --key-file key.txt --out trace.csv",
    },
    (command) =>
      command
        .argument("<model>", "model as name@version that it serves")
        .requiredOption("--url <address>", "base address of the service")
        .requiredOption("--key-file <path>", "file with an API key of scope predict")
        .requiredOption("--out <file>", "where to write the trace")
        .option("--rate <per second>", "requests per second", "20")
        .option("--seconds <number>", "how long to record, at least 30", "120"),
    async (options, [ref = ""]) => {
      const { out, rate: ratePerSecond, seconds } = parseOptions(Options, options);
      const { url, key, manifest, golden } = await runningFrom(placeOf(options), options, ref);
      const requests = goldenRequests(manifest.name, golden);
      const { traced, failed } = await recordTrace({ url, key }, { requests, ratePerSecond, seconds });
      if (traced.length === 0) {
        throw new DeployError(
          "E_TOOL",
          `Cannot record ${url}: none of ${failed} requests was answered; next: sluice status`,
        );
      }
      await writeFile(out, formatTrace(traced));
      const text = `Recorded ${traced.length} requests in ${seconds} s to ${out}, ${failed} more failed; next: sluice simulate --trace ${out}`;
      return { exit: exitCodes.done, json: { out, requests: traced.length, failed, seconds }, text };
    },
  );
}
