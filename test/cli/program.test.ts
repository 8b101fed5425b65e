import { expect, test } from "bun:test";
import { buildProgram } from "../../pipeline/src/cli/program.ts";

async function namesFor(...args: string[]): Promise<string[]> {
  return (await buildProgram(args)).commands.map((command) => command.name());
}

test("buildProgram() has every command where none is named", async () => {
  expect(await namesFor()).toEqual(await namesFor("deploi"));
  expect(await namesFor("status", "--help")).toEqual(await namesFor());
});

test("buildProgram() has a command that is named, and leaves out what is not", async () => {
  const all = await namesFor();
  for (const name of all) {
    const some = await namesFor("--environment", "local", name);
    expect(some).toContain(name);
    expect(some.length, `with ${name}`).toBeLessThan(all.length / 2);
  }
  expect(await namesFor("verify", "magika@3.3.0")).toEqual(["verify"]);
});
