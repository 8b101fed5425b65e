import { afterEach, beforeEach, expect, test } from "bun:test";
import { appendFile, mkdtemp, open, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tidyLogs } from "../../../pipeline/src/target/local/logs.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sluice-logs-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test("tidyLogs() moves a long log aside, and its writer goes on", async () => {
  const path = join(folder, "one.log");
  const writer = await open(path, "a");
  await writer.write("a long line\n");
  await tidyLogs(folder, { maxBytes: 5, maxFiles: 10 });
  await writer.write("next\n");
  await writer.close();
  expect(await readFile(`${path}.1`, "utf8")).toBe("a long line\n");
  expect(await readFile(path, "utf8")).toBe("next\n");
});

test("tidyLogs() leaves short logs alone", async () => {
  await appendFile(join(folder, "one.log"), "short");
  await tidyLogs(folder, { maxBytes: 5, maxFiles: 10 });
  expect(await readdir(folder)).toEqual(["one.log"]);
});

test("tidyLogs() forgets the logs that were written to longest ago, but for those in use", async () => {
  for (const [index, name] of ["old", "older", "new", "newer"].entries()) {
    await writeFile(join(folder, name), "");
    const seconds = [20, 10, 30, 40][index] ?? 0;
    await utimes(join(folder, name), seconds, seconds);
  }
  await tidyLogs(folder, { maxFiles: 2, inUse: new Set([join(folder, "older")]) });
  expect((await readdir(folder)).sort()).toEqual(["new", "newer", "older"]);
});

test("tidyLogs() does nothing without a folder", async () => {
  await tidyLogs(join(folder, "nowhere"));
});
