import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

/** What can be measured: each is a program of its own that runs its peers in the same run and prints ratios. */
const benches = ["digest", "router", "hitless", "service", "overload"];

/** Those that take long and run only when they are named. */
const longBenches = ["soak", "worker-kills"];

/**
 *   npm run bench                            every one
 *   npm run bench -- service --seconds 2     one, with its own options
 *   npm run bench -- soak --minutes 10       one that takes long
 */
const [name, ...options] = process.argv.slice(2);
if (name !== undefined && ![...benches, ...longBenches].includes(name)) {
  console.error(`Cannot run bench ${name}: known are ${[...benches, ...longBenches].join(", ")}`);
  process.exit(2);
}
for (const bench of name === undefined ? benches : [name]) {
  console.log(`\n== ${bench}`);
  const script = join(import.meta.dirname, "bench", `${bench}.ts`);
  const child = spawn(process.execPath, [script, ...options], { stdio: "inherit" });
  const [code] = await once(child, "exit");
  if (code !== 0) process.exitCode = 1;
}
