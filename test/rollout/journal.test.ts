import { expect, test } from "bun:test";
import { appendFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Journal } from "../../pipeline/src/rollout/journal.ts";
import type { Event } from "../../pipeline/src/spec/journal.ts";
import { temporaryFolder } from "../support/folder.ts";

const paused = (reason: string): Event => ({ kind: "paused", reason });

async function aJournal(folder: string, count: number): Promise<string> {
  const path = join(folder, "journal.jsonl");
  const journal = new Journal(path);
  for (let i = 0; i < count; i++) await journal.append(i, 1, paused(`entry ${i}`));
  return path;
}

test("Journal.read() cuts a torn last line at every byte, and append() goes on after it", async () => {
  await using folder = await temporaryFolder();
  const path = await aJournal(folder.path, 3);
  const whole = await readFile(path);
  const lastLine = whole.lastIndexOf(0x0a, whole.length - 2) + 1;
  for (let end = lastLine + 1; end < whole.length; end++) {
    await writeFile(path, whole.subarray(0, end));
    const journal = new Journal(path);
    expect(await journal.read()).toHaveLength(2);
    await journal.append(9, 1, paused("after the crash"));
    expect((await new Journal(path).read()).map((entry) => entry.seq)).toEqual([0, 1, 2]);
  }
});

test("Journal.read() refuses a changed, removed or added line and names it", async () => {
  await using folder = await temporaryFolder();
  const path = await aJournal(folder.path, 4);
  const lines = (await readFile(path, "utf8")).trimEnd().split("\n");
  const changes: [string[], number][] = [
    [lines.with(1, (lines[1] ?? "").replace("entry 1", "entry X")), 3],
    [lines.toSpliced(1, 1), 2],
    [lines.toSpliced(2, 0, lines[1] ?? ""), 3],
    [lines.with(2, "not json"), 3],
    [lines.with(2, "{}"), 3],
  ];
  for (const [changed, line] of changes) {
    await writeFile(path, `${changed.join("\n")}\n`);
    await expect(new Journal(path).read()).rejects.toMatchObject({
      code: "E_FILE",
      message: expect.stringContaining(`journal.jsonl:${line}:`),
    });
  }
});

test("Journal.read() passes over the line of an overtaken holder", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "journal.jsonl");
  const zombie = new Journal(path);
  await zombie.append(0, 1, paused("old"));
  await new Journal(path).append(1, 2, paused("new holder"));
  await zombie.append(2, 1, paused("zombie"));
  await new Journal(path).append(3, 2, paused("new holder again"));
  const entries = await new Journal(path).read();
  expect(entries.map(({ event }) => event)).toEqual([paused("old"), paused("new holder"), paused("new holder again")]);
});

test("Journal.read() of a missing file is empty; bytes that are no text are refused", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "none.jsonl");
  expect(await new Journal(path).read()).toEqual([]);
  await appendFile(path, new Uint8Array([0xff, 0xfe, 0x0a]));
  await expect(new Journal(path).read()).rejects.toMatchObject({ code: "E_FILE" });
});
