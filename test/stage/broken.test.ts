// Each gate broken once and seen red: what `npm run drill -- gates` shows.
import { expect, setDefaultTimeout, test } from "bun:test";
import { brokenGates } from "../fixtures/gates/broken.ts";

setDefaultTimeout(60_000);

test.each(brokenGates.map((broken) => [broken.fault, broken] as const))("it is seen that %s", async (_, broken) => {
  const { verdict } = await broken.run();
  expect(verdict.kind).toBe(broken.kind);
  expect(JSON.stringify(verdict)).toMatch(broken.words);
});
