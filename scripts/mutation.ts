import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { z } from "zod";

/**
 * Changes pipeline/src/decide one operator at a time and asks its tests whether they notice: prints the score of each
 * file and every change that survived. `npm run mutation`, or `npm run mutation -- judging` for one group. Stryker
 * is fetched into a folder of its own, for nothing else needs it; it runs on a copy, so that nobody meets a mutant.
 */
const stryker = "@stryker-mutator/core@9.6.1";

/** Files that are mutated, and the tests that must notice. */
const groups = {
  judging: {
    files: ["judge", "metric", "metrics", "slowness", "skew", "answers", "trials", "evidence", "sample", "weights"],
    tests: ["judge", "metrics", "skew", "evidence", "sample", "plan", "weights"],
  },
  deciding: {
    files: ["state", "next", "deadline", "freeze", "begin", "admit", "exit", "plan", "needed"],
    tests: ["state", "states", "next", "deadline", "begin", "exit", "plan"],
  },
};
const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(groups);

const Mutant = z.object({
  status: z.string(),
  mutatorName: z.string(),
  replacement: z.string().optional(),
  location: z.object({ start: z.object({ line: z.number(), column: z.number() }) }),
});
type Mutant = z.infer<typeof Mutant>;
const Result = z.object({ files: z.record(z.string(), z.object({ source: z.string(), mutants: z.array(Mutant) })) });

const root = resolve(import.meta.dirname, "..");
const place = await mkdtemp(join(tmpdir(), "sluice-mutation-"));
try {
  const tool = join(place, "tool");
  await mkdir(tool);
  await run("npm", ["install", "--prefix", tool, "--no-save", "--no-audit", "--no-fund", stryker], tool);
  for (const [name, group] of Object.entries(groups)) if (names.includes(name)) await mutate(name, group, tool);
} finally {
  await rm(place, { recursive: true, force: true });
}

async function mutate(name: string, { files, tests }: { files: string[]; tests: string[] }, tool: string) {
  const copy = join(place, name);
  for (const path of ["bin", "pipeline/src", "policies", "test/support", "package.json"]) {
    await cp(join(root, path), join(copy, path), { recursive: true });
  }
  for (const test of tests) {
    const path = `test/decide/${test}.test.ts`;
    await cp(join(root, path), join(copy, path));
  }
  await symlink(join(root, "node_modules"), join(copy, "node_modules"));
  const configuration = {
    mutate: files.map((file) => `pipeline/src/decide/${file}.ts`),
    testRunner: "command",
    // The test that draws thousands of trials would take most of the time; the others hold evidence() to numbers.
    commandRunner: { command: "node bin/bun.mjs test --bail test/decide -t '^(?!.*1/alpha)'" },
    // One at a time: each run keeps a core busy, and what takes too long counts as noticed.
    concurrency: 1,
    timeoutMS: 30_000,
    reporters: ["progress-append-only", "json"],
    jsonReporter: { fileName: "mutation.json" },
    tempDirName: "sandbox",
    // Words are read by people, nothing is decided by them.
    mutator: { excludedMutations: ["StringLiteral"] },
  };
  await writeFile(join(copy, "stryker.json"), JSON.stringify(configuration, null, 2));
  await run("nice", ["-n", "19", join(tool, "node_modules/.bin/stryker"), "run", "stryker.json"], copy);
  print(Result.parse(JSON.parse(await readFile(join(copy, "mutation.json"), "utf8"))));
}

function print({ files }: z.infer<typeof Result>): void {
  const survivors: string[] = [];
  console.log("\n| file | mutants | killed | survived | score |\n| --- | --- | --- | --- | --- |");
  let [mutants, dead] = [0, 0];
  for (const [path, { source, mutants: made }] of Object.entries(files)) {
    const tried = made.filter(({ status }) => status !== "Ignored");
    const alive = tried.filter(({ status }) => status === "Survived" || status === "NoCoverage");
    mutants += tried.length;
    dead += tried.length - alive.length;
    console.log(row(path.replace("pipeline/src/", ""), tried.length, tried.length - alive.length));
    survivors.push(...alive.map((mutant) => describe(path, source, mutant)));
  }
  console.log(`${row("all", mutants, dead)}\n\n${survivors.join("\n")}`);
}

function row(name: string, mutants: number, killed: number): string {
  return `| ${name} | ${mutants} | ${killed} | ${mutants - killed} | ${((100 * killed) / mutants).toFixed(1)} % |`;
}

function describe(path: string, source: string, { location, mutatorName, replacement }: Mutant): string {
  const line = source.split("\n")[location.start.line - 1]?.trim() ?? "";
  return `${path}:${location.start.line}:${location.start.column} ${mutatorName}: \`${line}\` -> \`${replacement ?? ""}\``;
}

async function run(command: string, args: string[], cwd: string): Promise<void> {
  const child = spawn(command, args, { cwd, stdio: "inherit" });
  const [code] = await once(child, "exit");
  if (code !== 0) throw new Error(`Cannot run ${command} ${args.join(" ")}: it ended with ${code}`);
}
