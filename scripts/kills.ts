import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { root, untilPrinted } from "../test/support/cli.ts";
import { kindsOf, revisionOf } from "./kills/journal.ts";
import { type Harm, type Row, type Running, Trials } from "./kills/trials.ts";

/**
 * Does harm at one moment of a real rollout, runs the command again, and looks at what became of it, while a client asks the
 * site all the time. Writes docs/kill-points.md when nothing is left out. Ends with 1 when a rollout did not converge or a
 * request was lost.
 *
 *   node bin/bun.mjs scripts/kills.ts [cli] [site] [revision] [disk]
 */
const chosen = process.argv.slice(2);
const isWanted = (victim: string) => chosen.length === 0 || chosen.includes(victim);
const steps = ["Step 1:", "Step 2:"];
/** Actions that the site is asked for. */
const calls = /^intent (?:start|setWeight|shiftAll|setStable|stop)\b/;

const trials = await Trials.open();
const rows: Row[] = [];
try {
  const entries = await trials.undisturbed();
  for (const [victim, harm] of harms(entries)) {
    const row = await trials.trial(victim, harm);
    rows.push(row);
    console.log(`${row.victim} ${row.moment}: ${row.result}; ${row.answered} answered, lost: ${row.lost || "none"}`);
  }
} finally {
  await trials.close();
}
if (chosen.length === 0) await writeFile(join(root, "docs/kill-points.md"), page());
const bad = rows.filter(({ isBad }) => isBad);
console.log(`${rows.length} times harm, ${bad.length} with a lost request or no end`);
process.exitCode = bad.length === 0 ? 0 : 1;

function harms(entries: readonly string[]): [string, Harm][] {
  const all: [string, Harm][] = [
    ...entries.map((_, i): [string, Harm] => ["command line", killCli(i + 1)]),
    ...entries.flatMap((kind, i): [string, Harm][] => (calls.test(kind) ? [["site", killSiteAt(i + 1)]] : [])),
    ...steps.map((words): [string, Harm] => ["site", killSiteIn(words)]),
    ...steps.flatMap((words) =>
      ["stable", "canary", "baseline"].map((arm): [string, Harm] => [arm, killArm(arm, words)]),
    ),
    ...(trials.disk === undefined ? [] : steps.map((words): [string, Harm] => ["disk", fillDisk(words)])),
  ];
  const names: Record<string, string> = { "command line": "cli", site: "site", disk: "disk" };
  return all.filter(([victim]) => isWanted(names[victim] ?? "revision"));
}

/** Right after the `count`th entry is in the journal. */
function killCli(count: number): Harm {
  return async (running) => {
    const kind = await untilEntry(running, count);
    running.child.kill("SIGKILL");
    return { moment: `after entry ${count}: ${kind}` };
  };
}

/** Right after the intent is in the journal: the site is being asked. */
function killSiteAt(count: number): Harm {
  return async (running) => {
    const { pid } = await trials.site();
    const kind = await untilEntry(running, count);
    process.kill(pid, "SIGKILL");
    return { moment: `during ${kind.replace("intent ", "")}` };
  };
}

function killSiteIn(words: string): Harm {
  return async (running) => {
    await untilPrinted(running, words);
    process.kill((await trials.site()).pid, "SIGKILL");
    return { moment: `in ${nameOf(words)}` };
  };
}

function killArm(arm: string, words: string): Harm {
  return async (running) => {
    await untilPrinted(running, words);
    const id = revisionOf(running.journal, arm);
    const revision = (await trials.site()).revisions.find((one) => one.id === id);
    if (revision !== undefined) process.kill(revision.pid, "SIGKILL");
    return { moment: `in ${nameOf(words)}` };
  };
}

/** Not a byte of room until the command has ended. */
function fillDisk(words: string): Harm {
  return async (running) => {
    await untilPrinted(running, words);
    await trials.disk?.fill();
    return { moment: `full from ${nameOf(words)} on`, undo: () => trials.disk?.empty() };
  };
}

/** Waits until the journal has `count` entries, looks left out; tells what the last of them says. */
async function untilEntry({ child, journal }: Running, count: number): Promise<string> {
  while (kindsOf(journal).length < count && child.exitCode === null) await setTimeout(1);
  return kindsOf(journal)[count - 1] ?? "the end";
}

function nameOf(words: string): string {
  return words.slice(0, -1).toLowerCase();
}

function page(): string {
  const lines = rows.map(
    ({ victim, moment, result, lost }) => `| ${victim} | ${moment} | ${result} | ${lost || "0"} |`,
  );
  return `# Kill points

Each row is a real rollout of magika@3.3.0 over magika@3.2.0 on the local site in which one process got SIGKILL at one moment,
or the disk of the state folder was full; then the command was run again. A client asked the site all the while. Made by
\`npm run kills\`, which writes this page.

Only while the site itself is dead are clients refused, for nobody listens: its guard starts it again, and it takes its
revisions over, which live on. A slow disk, and one that is full in the middle of a line, are tests of
\`test/rollout/disk.test.ts\`: there the journal's store is one that takes its time.

| harm to | when | the rollout was | requests lost |
| --- | --- | --- | --- |
${lines.join("\n")}
`;
}
