import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import type { Check } from "../../../pipeline/src/spec/report.ts";
import { mixedChecks } from "../../../pipeline/src/stage/contract/mixed.ts";
import { aCandidate, type Candidate, contextOf, openapiOf } from "../../support/candidate.ts";
import { root } from "../../support/cli.ts";
import { serve, type TinyServer } from "../../support/server.ts";

let stable: Candidate;
let candidate: Candidate;
beforeAll(async () => {
  stable = await aCandidate(join(root, "models/magika/3.2.0"));
  candidate = await aCandidate(join(root, "models/magika/3.3.0"), { like: stable });
}, 60_000);
afterAll(async () => {
  await stable.stop();
  await candidate.stop();
});

const started: TinyServer[] = [];
afterEach(async () => {
  for (const server of started.splice(0)) await server.stop();
});

type Change = (answer: Response, request: Request) => Response | Promise<Response>;

/** A release that is asked through a server of the test's, which changes its answers. */
function spoiled({ url }: Candidate, change: Change): string {
  const server = serve(async (request) => {
    const kept = request.clone();
    const answer = await fetch(request.url.replace(/^http:\/\/[^/]+/, url), request);
    return change(answer, kept);
  });
  started.push(server);
  return server.url;
}

function saying(change: (text: string) => string): Change {
  return async (answer) => {
    const headers = new Headers(answer.headers);
    headers.delete("content-length");
    return new Response(change(await answer.text()), { status: answer.status, headers });
  };
}

/** Looks at both releases, each with its answers changed; the failed checks. */
async function mixed(changes: { stable?: Change; candidate?: Change } = {}): Promise<Check["verdict"][]> {
  const at = (one: Candidate, change?: Change) => (change === undefined ? one.url : spoiled(one, change));
  const context = await contextOf(candidate);
  context.service.url = at(candidate, changes.candidate);
  const { version } = stable.manifest;
  const other = { url: at(stable, changes.stable), openapi: await openapiOf(stable), version };
  const checks = await mixedChecks(context, other);
  expect(checks).toHaveLength(5);
  return checks.map(({ verdict }) => verdict).filter(({ kind }) => kind !== "pass");
}

test("mixedChecks() passes magika 3.2.0 and 3.3.0 behind one router", async () => {
  expect(await mixed()).toEqual([]);
}, 60_000);

const refusing = (status: number, when: (request: Request) => boolean | Promise<boolean>): Change => {
  const problem = { type: "t", title: "t", status, detail: "d", code: "length-wrong" };
  return async (answer, request) => {
    if (!(await when(request))) return answer;
    return Response.json(problem, { status, headers: { "content-type": "application/problem+json" } });
  };
};

test.each<[string, Parameters<typeof mixed>[0], RegExp]>([
  [
    "a candidate whose answer lacks a field",
    { candidate: saying((text) => text.replace('"group"', '"family"')) },
    /a client of stable cannot read candidate: .*(group|family)/,
  ],
  [
    "a stable that the candidate's clients cannot read, after a rollback",
    { stable: saying((text) => text.replace('"group"', '"family"')) },
    /a client of (stable|candidate) cannot read stable/,
  ],
  [
    "a candidate that refuses what stable takes",
    { candidate: refusing(422, async (request) => (await request.text()).includes('"content":""')) },
    /status is (422 from candidate, 200 from stable|200 from stable, 422 from candidate)/,
  ],
  [
    "a candidate that refuses a retried key",
    { candidate: refusing(409, (request) => request.headers.has("idempotency-key")) },
    /status of the retry is 409 from candidate/,
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
  [
    "a candidate whose answers may be cached",
    {
      candidate: (answer) => {
        answer.headers.set("cache-control", "max-age=600");
        return answer;
      },
    },
    /cache-control is max-age=600, expected no-store/,
  ],
])(
  "mixedChecks() fails %s",
  async (_, sides, words) => {
    expect(JSON.stringify(await mixed(sides))).toMatch(words);
  },
  60_000,
);
