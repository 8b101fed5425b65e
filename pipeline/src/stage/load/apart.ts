import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { DeployError } from "../../spec/error.ts";
import { parseJson } from "../../spec/read.ts";
import type { Plan, Share } from "./driver.ts";
import { Tally } from "./tally.ts";
import { orderToWire, TallyWire } from "./wire.ts";

const script = fileURLToPath(new URL("process.ts", import.meta.url));
const startUpMs = 500;
/** Connections that are being closed while the next request begins. */
const spare = 64;

/**
 * Drives the plan in processes of its own, so that nothing here disturbs the measurement, and several when one cannot
 * keep the rate. Throws `E_TOOL` when a driver process breaks.
 */
export async function driveApart(plan: Plan, { processes = 1 } = {}): Promise<Tally[]> {
  const startAt = Date.now() + startUpMs;
  const shares = Array.from({ length: processes }, (_, index) => ({ index, of: processes, startAt }));
  const results = await Promise.all(shares.map((share) => driveShare(plan, share)));
  return plan.targets.map((_, target) => {
    const sum = new Tally();
    for (const tallies of results) {
      const tally = tallies[target];
      if (tally !== undefined) sum.merge(tally);
    }
    return sum;
  });
}

async function driveShare(plan: Plan, share: Share): Promise<z.infer<typeof TallyWire>[]> {
  const maxInFlight = portion(plan, share);
  // Bun would queue requests above its own limit unseen, and the service would be blamed for the wait.
  const env = { ...process.env, BUN_CONFIG_MAX_HTTP_REQUESTS: String(maxInFlight + spare) };
  const child = spawn(process.execPath, [script], { stdio: ["pipe", "pipe", "pipe"], env });
  // stdin stays open: its end tells the child that this process has died.
  child.stdin.write(`${JSON.stringify(orderToWire({ ...plan, maxInFlight }, share))}\n`);
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  if (code !== 0) {
    throw new DeployError("E_TOOL", `Cannot drive load: driver process exited ${code}, expected 0: ${stderr.trim()}`);
  }
  return parseJson(stdout, z.array(TallyWire).length(plan.targets.length), "the driver's tallies");
}

function portion(plan: Plan, share: Share): number {
  return Math.max(1, Math.ceil(plan.maxInFlight / share.of));
}
