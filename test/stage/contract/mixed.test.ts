import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import type { Service } from "../../../pipeline/src/stage/contract/ask.ts";
import { runProbe } from "../../../pipeline/src/stage/contract/context.ts";
import { mixedProbes } from "../../../pipeline/src/stage/contract/mixed.ts";
import { aCandidate, type Candidate, contextOf, openapiOf, saying } from "../../support/candidate.ts";
import { root } from "../../support/cli.ts";

let stable: Candidate;
let candidate: Candidate;
beforeAll(async () => {
  stable = await aCandidate(join(root, "models/magika/3.2.0"));
  candidate = await aCandidate(join(root, "models/magika/3.3.0"));
}, 60_000);
afterAll(async () => {
  await stable.stop();
  await candidate.stop();
});

type Fetch = NonNullable<Service["fetch"]>;

/** Runs the probes with each side seen through a `fetch` of its own; the failed ones' names and reasons. */
async function mixed(sides: { stable?: Fetch; candidate?: Fetch } = {}): Promise<string[]> {
  const context = await contextOf(candidate, sides.candidate);
  const other = {
    service: { url: stable.url, fetch: sides.stable ?? fetch },
    key: stable.key,
    openapi: await openapiOf(stable),
    version: stable.manifest.version,
  };
  const checks = await Promise.all(mixedProbes(context, other).map(runProbe));
  return checks.flatMap(({ verdict }) => (verdict.kind === "fail" ? verdict.breaches : []));
}

test("mixedProbes() passes magika 3.2.0 and 3.3.0 side by side", async () => {
  expect(await mixed()).toEqual([]);
}, 60_000);

test.each<[string, Parameters<typeof mixed>[0], RegExp]>([
  [
    "a candidate whose answer lacks a field",
    { candidate: saying((text) => text.replace('"group"', '"family"')) },
    /stable's clients read the candidate's answers: a client of stable cannot read the candidate: .*(group|family)/,
  ],
  [
    "a stable that the candidate's clients cannot read, after a rollback",
    { stable: saying((text) => text.replace('"group"', '"family"')) },
    /the candidate's clients read stable's answers: a client of the candidate cannot read stable/,
  ],
  [
    "a candidate that refuses what stable takes",
    {
      candidate: async (request) =>
        (await request.clone().text()).includes('"content":""')
          ? Response.json(
              { type: "t", title: "t", status: 422, detail: "d", code: "length-wrong" },
              { status: 422, headers: { "content-type": "application/problem+json" } },
            )
          : fetch(request),
    },
    /status is 422 from the candidate, 200 from stable/,
  ],
  [
    "a candidate that refuses a retried key",
    {
      candidate: async (request) =>
        request.headers.has("idempotency-key") ? new Response("", { status: 409 }) : fetch(request),
    },
    /status of the retry is 409 from the candidate/,
  ],
  [
    "a stable that forgets its keys",
    {
      stable: (() => {
        let count = 0;
        return saying((text) => `${text}${" ".repeat(count++)}`);
      })(),
    },
    /stable gives another answer to the same key/,
  ],
])(
  "mixedProbes() fails %s",
  async (_, sides, words) => {
    expect((await mixed(sides)).join("\n")).toMatch(words);
  },
  60_000,
);
