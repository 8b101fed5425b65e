// A driver process: reads one order from stdin, drives it, prints the tallies. Ends when its parent does.
import { createInterface } from "node:readline";
import { parseJson } from "../../spec/read.ts";
import { drive } from "./driver.ts";
import { OrderWire, orderFromWire } from "./wire.ts";

const lines = createInterface({ input: process.stdin });
lines.once("line", (line) => {
  lines.once("close", () => process.exit(1));
  const { plan, share } = orderFromWire(parseJson(line, OrderWire, "the driver's order"));
  void drive(plan, { share }).then((tallies) => {
    process.stdout.write(JSON.stringify(tallies.map((tally) => tally.toWire())), () => process.exit(0));
  });
});
