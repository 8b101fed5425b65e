import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { root, sluice } from "../support/cli.ts";

setDefaultTimeout(60_000);

test("dashboard prints what is in service/dashboards, for Grafana to import", async () => {
  const { exit, stdout } = await sluice(root, "dashboard");
  expect(exit).toBe(0);
  expect(JSON.parse(stdout)).toEqual(await Bun.file(join(root, "service/dashboards/sluice.json")).json());
});
