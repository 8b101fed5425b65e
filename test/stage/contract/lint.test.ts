import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { runTool } from "../../../pipeline/src/stage/tool.ts";
import { aCandidate, type Candidate, openapiOf } from "../../support/candidate.ts";
import { root } from "../../support/cli.ts";
import { temporaryFolder } from "../../support/folder.ts";

setDefaultTimeout(60_000);

const Linted = z.object({
  totals: z.object({ errors: z.int(), warnings: z.int() }),
  problems: z.array(z.object({ ruleId: z.string(), severity: z.string(), message: z.string() })),
});

let service: Candidate;
beforeAll(async () => {
  service = await aCandidate(join(root, "test/fixtures/models/tabular/1.0.0"));
});
afterAll(() => service.stop());

/** Lints the service's description, changed, with the committed ruleset. Returns the rules that say error. */
async function lint(change: (text: string) => string): Promise<string[]> {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "openapi.json");
  await writeFile(path, change(await openapiOf(service)));
  const redocly = fileURLToPath(import.meta.resolve("@redocly/cli/bin/cli.js"));
  const args = [redocly, "lint", path, "--config", join(root, "redocly.yaml"), "--format", "json"];
  const env = { REDOCLY_TELEMETRY: "off", REDOCLY_SUPPRESS_UPDATE_NOTICE: "true" };
  const { stdout } = await runTool("node", args, { timeoutMs: 60_000, env });
  const { problems } = Linted.parse(JSON.parse(stdout));
  return problems
    .filter((problem) => problem.severity === "error")
    .map(({ ruleId, message }) => `${ruleId}: ${message}`);
}

test("the service's OpenAPI keeps the committed ruleset", async () => {
  expect(await lint((text) => text)).toEqual([]);
});

test.each([
  ["a summary that is gone", (text: string) => text.replace(/"summary":"[^"]*",/, ""), "operation-summary"],
  ["an operation without an id", (text: string) => text.replace(/"operationId":"[^"]*",/, ""), "operation-operationId"],
  [
    "a reference to nothing",
    (text: string) => text.replace("#/components/schemas/", "#/components/gone/"),
    "no-unresolved-refs",
  ],
  [
    "a problem of another type",
    (text: string) => text.replaceAll("application/problem+json", "text/plain"),
    "problem-details",
  ],
] as const)("the ruleset refuses %s", async (_, change, rule) => {
  expect((await lint(change)).join("\n")).toContain(rule);
});
