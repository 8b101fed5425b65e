import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { aRepository, type CliResult, root, sluice, startCli } from "../test/support/cli.ts";
import { startClient } from "../test/support/client.ts";

/**
 * Kills one process at one moment of a real rollout, runs the command again, and looks at what became of it, while a client
 * asks the site all the time. Writes docs/kill-points.md. Ends with 1 when a rollout did not converge or a request was lost.
 *
 *   node bin/bun.mjs scripts/kills.ts [cli] [site] [revision]
 */
interface Row {
  victim: string;
  moment: string;
  result: string;
  lost: string;
}

const victims = process.argv.slice(2);
const wanted = (victim: string) => victims.length === 0 || victims.includes(victim);
await using repository = await aRepository("magika/3.2.0", "magika/3.3.0");
const source = repository.path;
const rows: Row[] = [];

expectExit(await sluice(source, "deploy", "--json"), 0);
const site = async () => JSON.parse((await sluice(source, "site", "status", "--json")).stdout);
const candidate: string = JSON.parse((await sluice(source, "history", "--json")).stdout).rollouts[0].candidate;
expectExit(await sluice(source, "rollback"), 0);
const key = (await readFile(join(source, ".sluice/secrets/api-key"), "utf8")).trim();

const entries = await countEntries();
if (wanted("cli")) for (let count = 1; count <= entries; count++) await trial("cli", count, killCli);
const steps = ["Step 1:", "Step 2:"];
if (wanted("site")) for (const words of steps) await trial("site", words, killSite);
if (wanted("revision")) {
  for (const words of steps) for (const arm of ["stable", "canary", "baseline"]) await trial(arm, words, killRevision);
}
await writeFile(join(root, "docs/kill-points.md"), page());
const bad = rows.filter((row) => !["promoted", "aborted"].includes(row.result) || row.lost !== "0");
console.log(`${rows.length} kills, ${bad.length} with a lost request or no end`);
process.exitCode = bad.length === 0 ? 0 : 1;

/** One clean rollout, only to learn how many entries its journal has, looks left out. */
async function countEntries(): Promise<number> {
  expectExit(await sluice(source, "rollout", candidate), 0);
  const names = kindsOf(await newestJournal());
  expectExit(await sluice(source, "rollback"), 0);
  return names.length;
}

async function trial<T>(
  victim: string,
  moment: T,
  kill: (running: Running, victim: string, moment: T) => Promise<string>,
) {
  const { address } = await site();
  const client = startClient(address, key);
  await client.answered(1);
  const running = await startRollout();
  const words = await kill(running, victim, moment);
  await running.result;
  let again = await sluice(source, "site", "up");
  if (again.exit === 0 && (await openRollout())) again = await sluice(source, "rollout");
  const seen = await client.stop();
  // 6: a canary that was killed failed its requests, and was taken back.
  const isEnd = again.exit === 0 || again.exit === 6;
  const result = isEnd ? lastResult(await newestJournal()) : `exit ${again.exit}`;
  const row = { victim, moment: words, result, lost: String(seen.failures.length) };
  rows.push(row);
  console.log(`${row.victim} ${row.moment}: ${row.result}, ${row.lost} of ${seen.answers + seen.failures.length} lost`);
  for (const failure of new Set(seen.failures)) console.log(`  ${failure.slice(0, 200)}`);
  if (result === "promoted") expectExit(await sluice(source, "rollback"), 0);
}

interface Running {
  child: ChildProcess;
  result: Promise<CliResult>;
  journal: string;
}

async function startRollout(): Promise<Running> {
  const before = new Set(await rollouts());
  const { child, result } = startCli(source, "rollout", candidate);
  for (;;) {
    const id = (await rollouts()).find((name) => !before.has(name));
    if (id !== undefined) return { child, result, journal: journalOf(id) };
    if (child.exitCode !== null) throw new Error((await result).stderr);
    await setTimeout(5);
  }
}

/** Right after the `count`th entry is in the journal, looks left out. */
async function killCli({ child, journal }: Running, _: string, count: number): Promise<string> {
  while (kindsOf(journal).length < count && child.exitCode === null) await setTimeout(1);
  child.kill("SIGKILL");
  return `after entry ${count}: ${kindsOf(journal)[count - 1] ?? "the end"}`;
}

async function killSite({ child }: Running, _: string, words: string): Promise<string> {
  await untilPrinted(child, words);
  process.kill((await site()).pid, "SIGKILL");
  return `in ${words.slice(0, -1).toLowerCase()}`;
}

async function killRevision({ child, journal }: Running, arm: string, words: string): Promise<string> {
  await untilPrinted(child, words);
  const id: string = JSON.parse(readFileSync(journal, "utf8").split("\n")[0] ?? "").event.arms[arm];
  const { revisions } = await site();
  process.kill(revisions.find((revision: { id: string }) => revision.id === id).pid, "SIGKILL");
  return `in ${words.slice(0, -1).toLowerCase()}`;
}

async function untilPrinted(child: ChildProcess, words: string): Promise<void> {
  let printed = "";
  while (!printed.includes(words) && child.stderr !== null) printed += (await once(child.stderr, "data"))[0];
}

/** What each entry of a journal says, but for looks, whose number depends on the machine. */
function kindsOf(journal: string): string[] {
  if (!existsSync(journal)) return [];
  const lines = readFileSync(journal, "utf8").split("\n").slice(0, -1);
  const events = lines.map((line) => JSON.parse(line).event).filter((event) => event.kind !== "looked");
  return events.map(({ kind, action, step, verdict }) => {
    if (action !== undefined)
      return [kind, action.do, action.arm ?? action.to ?? action.weight].filter(Boolean).join(" ");
    return verdict === undefined ? kind : `judged step ${step + 1} ${verdict.kind}`;
  });
}

async function openRollout(): Promise<boolean> {
  return lastResult(await newestJournal()) === "open";
}

function lastResult(journal: string): string {
  const last = readFileSync(journal, "utf8").trimEnd().split("\n").at(-1) ?? "";
  return JSON.parse(last).event.result ?? "open";
}

async function newestJournal(): Promise<string> {
  return journalOf((await rollouts()).at(-1) ?? "");
}

async function rollouts(): Promise<string[]> {
  const names = await readdir(join(source, ".sluice/rollouts/local")).catch(() => []);
  return names.filter((name) => /^\d{4}-/.test(name) && existsSync(journalOf(name))).sort();
}

function journalOf(id: string): string {
  return join(source, ".sluice/rollouts/local", id, "journal.jsonl");
}

function expectExit({ exit, stderr }: CliResult, wantedExit: number): void {
  if (exit !== wantedExit) throw new Error(`exit ${exit}, expected ${wantedExit}: ${stderr}`);
}

function page(): string {
  const lines = rows.map((row) => `| ${row.victim} | ${row.moment} | ${row.result} | ${row.lost} |`);
  return `# Kill points

Each row is a real rollout of magika@3.3.0 over magika@3.2.0 on the local site in which one process got SIGKILL at one moment;
then the command was run again. A client asked the site all the while. Made by \`npm run kills\`, which writes this page.

| killed | when | the rollout was | requests lost |
| --- | --- | --- | --- |
${lines.join("\n")}
`;
}
