import { join } from "node:path";
import type { Command } from "commander";
import { parseDocument } from "yaml";
import { z } from "zod";
import { exitCodes } from "../decide/exit.ts";
import { resolveTag } from "../release/oci/resolve.ts";
import { replaceFile } from "../rollout/durable.ts";
import { Images } from "../spec/images.ts";
import { parseYaml, readText } from "../spec/read.ts";
import { addCommand } from "./command.ts";
import { parseOptions, placeOf } from "./options.ts";

const Options = z.object({ plainHttp: z.boolean().default(false), only: z.array(z.string()).optional() });

export function registerLock(image: Command): void {
  addCommand(
    image,
    "lock",
    {
      description:
        "Write into policies/images.yaml which digest each tag has now: from then on nothing else is pulled.",
      example: "sluice image lock --only runtime build",
    },
    (command) =>
      command
        .option("--only <use...>", "these images only, such as runtime")
        .option("--plain-http", "speak HTTP: for a registry on loopback or in a test"),
    async (flags) => {
      const { plainHttp, only } = parseOptions(Options, flags);
      const path = join(placeOf(flags).policiesDir, "images.yaml");
      const text = await readText(path);
      const { images } = parseYaml(text, Images, path);
      const document = parseDocument(text);
      const digests: Record<string, string> = {};
      for (const [use, { reference }] of Object.entries(images)) {
        if (only !== undefined && !only.includes(use)) continue;
        digests[use] = await resolveTag(reference, { plainHttp });
        document.setIn(["images", use, "digest"], digests[use]);
      }
      await replaceFile(path, document.toString({ lineWidth: 0 }));
      const lines = Object.entries(digests).map(([use, digest]) => `${use.padEnd(8)} ${digest}`);
      return { exit: exitCodes.done, json: { digests }, text: lines.join("\n") };
    },
  );
}
