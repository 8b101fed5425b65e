import { expect, test } from "bun:test";
import { join } from "node:path";
import { root } from "../support/service-app.ts";

test("every test that SECURITY.md names is there", async () => {
  const text = await Bun.file(join(root, "SECURITY.md")).text();
  const named = [...text.matchAll(/^- `(test\/[^`]+)`: "(.+)"$/gm)];
  const missing: string[] = [];
  for (const [, path = "", name = ""] of named) {
    if (!(await Bun.file(join(root, path)).text()).includes(`"${name}"`)) missing.push(`${path}: ${name}`);
  }
  expect(missing).toEqual([]);
  // Every risk of the ten, and under each the test that proves its control.
  const risks = text.split(/^\*\*API(?=\d+ )/m).slice(1);
  expect(risks.map((risk) => Number.parseInt(risk, 10))).toEqual(Array.from({ length: 10 }, (_, i) => i + 1));
  for (const risk of risks) expect(risk).toMatch(/^- `test\/[^`]+`: ".+"$/m);
});
