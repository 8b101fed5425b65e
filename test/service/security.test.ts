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
  for (let risk = 1; risk <= 10; risk += 1) expect(text).toContain(`**API${risk} `);
  expect(named.length).toBeGreaterThanOrEqual(10);
});
