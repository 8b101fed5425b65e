// A driver process: reads one order from stdin, drives it, prints the tallies. Ends when its parent does.
import { createInterface } from "node:readline";
import { parseJson } from "../../spec/read.ts";
import { drive } from "./driver.ts";
import { OrderWire, orderFromWire } from "./wire.ts";

const lines = createInterface({ input: process.stdin });
lines.once("line", (line) => {
  lines.once("close", () => process.exit(1));
  run(line).then((json) => process.stdout.write(json, () => process.exit(0)), fail);
});

async function run(line: string): Promise<string> {
  const { plan, share } = orderFromWire(parseJson(line, OrderWire, "the driver's order"));
  const tallies = await drive(plan, { share });
  return JSON.stringify(tallies.map((tally) => tally.toWire()));
}

function fail(error: unknown): void {
  process.stderr.write(error instanceof Error ? error.message : String(error), () => process.exit(1));
}
