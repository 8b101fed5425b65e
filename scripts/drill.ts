import { spawn } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { badReleases, makeBadRelease } from "../test/fixtures/models/bad.ts";
import { startClient } from "../test/support/client.ts";

/**
 * Deploys one bad release after another over a good one, on a site of its own, and shows what became of each, while a
 * client asks the site all the time. Ends with 1 when anything went otherwise than it should.
 */
const root = resolve(import.meta.dirname, "..");
const source = await mkdtemp(join(tmpdir(), "sluice-drill-"));
let unexpected = 0;

try {
  await cp(join(root, "policies"), join(source, "policies"), { recursive: true });
  await mkdir(join(source, "models/magika"), { recursive: true });
  await cp(join(root, "models/magika/3.2.0"), join(source, "models/magika/3.2.0"), { recursive: true });
  await expectExit("the good release", "deploy magika@3.2.0", 0, "stable serves all traffic");
  for (const { kind, fault, outcome, exit } of badReleases) {
    const ref = await makeBadRelease(kind, join(source, "models"));
    await underTraffic(() => expectExit(`${kind}: ${fault}`, `deploy ${ref}`, exit, outcome));
  }
} finally {
  await sluice("site down");
  await rm(source, { recursive: true, force: true });
}
console.log(unexpected === 0 ? "\nEverything went as it should" : `\n${unexpected} went otherwise than they should`);
process.exitCode = unexpected === 0 ? 0 : 1;

async function expectExit(what: string, command: string, exit: number, outcome: string): Promise<void> {
  console.log(`\n== ${what}\n   expected: exit ${exit}, ${outcome}\n   $ sluice ${command}`);
  const result = await sluice(command);
  for (const line of result.output.trimEnd().split("\n")) console.log(`   | ${line}`);
  if (result.exit !== exit) unexpected += 1;
  console.log(`   ${result.exit === exit ? "as expected" : "UNEXPECTED"}: exit ${result.exit}`);
}

/** A bad answer of a canary reaches the clients that met it; stable must answer all the while, and afterwards. */
async function underTraffic(work: () => Promise<void>): Promise<void> {
  const { address } = JSON.parse((await sluice("site status --json")).stdout);
  const client = startClient(address, (await readFile(join(source, ".sluice/secrets/api-key"), "utf8")).trim());
  await work();
  const seen = await client.stop();
  const after = startClient(address, (await readFile(join(source, ".sluice/secrets/api-key"), "utf8")).trim());
  await after.answered(10);
  const { failures } = await after.stop();
  console.log(
    `   a client was answered ${seen.answers} times meanwhile, ${seen.failures.length} times badly; afterwards ${failures.length}`,
  );
  if (failures.length > 0 || seen.answers === 0) unexpected += 1;
}

async function sluice(command: string): Promise<{ exit: number | null; output: string; stdout: string }> {
  const args = [join(root, "pipeline/src/cli.ts"), ...command.split(" "), "--source", source];
  const child = spawn(process.execPath, args);
  const text = { output: "", stdout: "" };
  child.stdout.on("data", (chunk) => {
    text.stdout += chunk;
    text.output += chunk;
  });
  child.stderr.on("data", (chunk) => {
    text.output += chunk;
  });
  return new Promise((done) => child.on("close", (exit) => done({ exit, ...text })));
}
