/**
 * Sluice's digests against Python's model_signing, on the same folder of 2 GiB, warm, turn by turn:
 * `node bin/bun.mjs scripts/bench/digest.ts`. Needs Python with model_signing: `SLUICE_BENCH_PYTHON`, or what the tests made.
 */
import { execFileSync } from "node:child_process";
import { mkdtemp, open, readdir, rm } from "node:fs/promises";
import { availableParallelism, homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { digestFiles } from "../../pipeline/src/release/digest.ts";
import { digestInThreads } from "../../pipeline/src/release/digest-threads.ts";
import { type Signing, signings } from "./digest-command.ts";

const rounds = 5;
const files = 8;
const fileBytes = 256 * 2 ** 20;
const gigabytes = (files * fileBytes) / 1e9;

const dir = await mkdtemp(join(tmpdir(), "sluice-bench-digest-"));
try {
  const paths = await fill();
  const python = await findPython();
  await measure(paths, python);
  await measureCommands(await signings(dir, paths, python));
} finally {
  await rm(dir, { recursive: true, force: true });
}

/** Seconds on the clock, and of all cores together. */
type Took = { wall: number; busy: number };

async function measure(paths: string[], python: string): Promise<void> {
  const digests = (await digestFiles(paths)).map(({ digest }) => digest.slice("sha256:".length));
  const ours = { "Sluice, all cores": digestInThreads, "Sluice, one thread": digestFiles };
  const all = new Map<string, Took[]>();
  const note = (name: string, took: Took) => all.set(name, [...(all.get(name) ?? []), took]);
  for (let round = 0; round < rounds; round++) {
    const [wall, busy, ...theirs] = execFileSync(python, [join(import.meta.dirname, "digest.py"), dir])
      .toString()
      .trim()
      .split(" ");
    if (theirs.join() !== digests.join()) throw new Error("The two disagree about the digests");
    note("Python model_signing", { wall: Number(wall), busy: Number(busy) });
    for (const [name, digest] of Object.entries(ours)) note(name, await time(() => digest(paths)));
  }
  console.log(
    `${gigabytes.toFixed(2)} GB in ${files} files, ${availableParallelism()} cores, median of ${rounds} rounds`,
  );
  const base = median(all.get("Python model_signing") ?? [], "wall");
  for (const [name, took] of all) {
    const [wall, busy] = [median(took, "wall"), median(took, "busy")];
    const ratio = `${(base / wall).toFixed(2)} x Python`;
    console.log(
      `${name.padEnd(22)}${(gigabytes / wall).toFixed(2)} GB/s  ${(gigabytes / busy).toFixed(2)} GB/s a core  ${ratio}`,
    );
  }
}

/** What a user waits for: the command that digests the folder and signs it. */
async function measureCommands(commands: readonly Signing[]): Promise<void> {
  const all = commands.map(() => [] as Took[]);
  for (let round = 0; round < rounds; round++) {
    for (const [i, { run }] of commands.entries()) all[i]?.push(await time(async () => run()));
  }
  const walls = all.map((took) => median(took, "wall"));
  console.log(`\nthe whole command that signs it, median of ${rounds} rounds`);
  for (const [i, { name }] of commands.entries()) {
    const [wall, base] = [walls[i] ?? Number.NaN, walls[0] ?? Number.NaN];
    console.log(`${name.padEnd(22)}${wall.toFixed(2)} s  ${(base / wall).toFixed(2)} x Python`);
  }
}

async function fill(): Promise<string[]> {
  const block = crypto.getRandomValues(Buffer.alloc(65_536));
  const chunk = Buffer.alloc(2 ** 24, block);
  const paths: string[] = [];
  for (let i = 0; i < files; i++) {
    chunk.writeUInt32LE(i);
    const path = join(dir, `part-${i}`);
    const file = await open(path, "w");
    for (let written = 0; written < fileBytes; written += chunk.length) await file.write(chunk);
    await file.close();
    paths.push(path);
  }
  return paths;
}

async function findPython(): Promise<string> {
  const given = process.env.SLUICE_BENCH_PYTHON;
  if (given !== undefined) return given;
  const cache = join(homedir(), ".cache", "sluice-test");
  const made = (await readdir(cache).catch(() => [])).find((name) => name.startsWith("oms-"));
  if (made === undefined) throw new Error("Cannot find model_signing; next: npm test, or set SLUICE_BENCH_PYTHON");
  return join(cache, made, "bin", "python");
}

async function time(work: () => Promise<unknown>): Promise<Took> {
  const [start, startBusy] = [performance.now(), process.cpuUsage()];
  await work();
  const { user, system } = process.cpuUsage(startBusy);
  return { wall: (performance.now() - start) / 1e3, busy: (user + system) / 1e6 };
}

function median(all: readonly Took[], key: keyof Took): number {
  return all.map((took) => took[key]).toSorted((a, b) => a - b)[Math.floor(all.length / 2)] ?? Number.NaN;
}
