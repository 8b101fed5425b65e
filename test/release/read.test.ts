import { expect, test } from "bun:test";
import { mkdtemp, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { readJson, readYaml } from "../../pipeline/src/spec/read.ts";
import { refusalOf } from "./refusal.ts";

test.each([
  ["readJson", readJson],
  ["readYaml", readYaml],
])("%s() refuses a file that would fill the memory", async (_, read) => {
  const path = join(await mkdtemp(join(tmpdir(), "sluice-read-")), "file");
  await writeFile(path, "1");
  expect(await read(path, z.number())).toBe(1);
  await truncate(path, 2 ** 30);
  expect((await refusalOf(read(path, z.number()))).message).toContain("it has 1073741824 bytes, expected at most");
});
