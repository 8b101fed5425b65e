import { parseArgs } from "node:util";
import { z } from "zod";

/** The command line of a site and of its guard: --state DIR --host H --port P --workers N [--share-port] [--again] */
const Flags = z.strictObject({
  state: z.string().min(1),
  host: z.string().min(1),
  port: z.coerce.number().int().min(0).max(65_535),
  workers: z.coerce.number().int().positive(),
  "share-port": z.boolean(),
  again: z.boolean(),
});
export type Flags = z.infer<typeof Flags>;

export function readFlags(): Flags {
  const { values } = parseArgs({
    options: {
      state: { type: "string" },
      host: { type: "string", default: "127.0.0.1" },
      port: { type: "string", default: "0" },
      workers: { type: "string", default: "1" },
      "share-port": { type: "boolean", default: false },
      again: { type: "boolean", default: false },
    },
  });
  return Flags.parse(values);
}

/** The arguments that `readFlags` reads back. */
export function writeFlags({ state, host, port, workers, "share-port": isShared, again }: Flags): string[] {
  const args = ["--state", state, "--host", host, "--port", String(port), "--workers", String(workers)];
  return [...args, ...(isShared ? ["--share-port"] : []), ...(again ? ["--again"] : [])];
}
