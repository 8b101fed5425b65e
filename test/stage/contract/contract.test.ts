import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { Report } from "../../../pipeline/src/spec/report.ts";
import type { Service } from "../../../pipeline/src/stage/contract/ask.ts";
import { contract } from "../../../pipeline/src/stage/contract/contract.ts";
import { aCandidate, type Candidate } from "../../support/candidate.ts";

const tabular = join(import.meta.dir, "../../fixtures/models/tabular/1.0.0");

let real: Candidate;
beforeAll(async () => {
  real = await aCandidate(tabular);
});
afterAll(() => real.stop());

/** The contract of the real service, seen through `fetch`. */
function check(fetch: Service["fetch"] = globalThis.fetch): Promise<Report> {
  const { url, key, otherKeys, manifest, golden } = real;
  return contract({ url, key, otherKeys, manifest, golden, fetch, subject: "tabular@1.0.0" });
}

test("contract() passes the real service", async () => {
  const report = Report.parse(await check());
  expect(report.verdict).toEqual({ kind: "pass" });
  expect(report.checks.length).toBeGreaterThan(90);
  expect(report.figure).toBe(`${report.checks.length} of ${report.checks.length} checks passed`);
});

/** The breaches, short enough to be read when a test fails. */
function wordsOf({ verdict }: Report): string {
  return verdict.kind === "fail" ? verdict.breaches.map((one) => one.split("; repeat")[0]).join("\n") : verdict.kind;
}

test("contract() is an error when nothing answers", async () => {
  const report = await check(() => Promise.reject(new TypeError("connection refused")));
  expect(report.verdict).toMatchObject({ kind: "error", reason: expect.stringContaining("connection refused") });
});

/** Passes requests on, and lets `change` spoil the answers of the predict route. */
function spoilPredict(change: (answer: Response, body: string) => Response | Promise<Response>): Service["fetch"] {
  return async (request) => {
    const body = await request.clone().text();
    const answer = await fetch(request);
    return new URL(request.url).pathname.endsWith("/predict") ? change(answer, body) : answer;
  };
}

function withBody(answer: Response, body: string, status = answer.status): Response {
  const headers = new Headers(answer.headers);
  headers.delete("content-length");
  return new Response(body, { status, headers });
}

async function renameField(answer: Response): Promise<Response> {
  return withBody(answer, (await answer.text()).replace('"label"', '"class"'));
}

function keyless(path: string): Service["fetch"] {
  return (request) => {
    const open = new Request(request);
    if (new URL(request.url).pathname === path) open.headers.set("authorization", `Bearer ${real.otherKeys[2]?.key}`);
    return fetch(open);
  };
}

const plainError = () => new Response("Internal Server Error\n  at predict (app.ts:1)", { status: 500 });

describe("contract() fails a service", () => {
  test.each<[string, () => Service["fetch"], RegExp]>([
    [
      "that renames a response field",
      () => spoilPredict(renameField),
      /must have required property 'label'|additional properties \(class\)/,
    ],
    [
      "that answers 500 to one input",
      () =>
        spoilPredict((answer, body) =>
          body.includes("1e+300") || body.startsWith('{"features":[null') ? plainError() : answer,
        ),
      /not as described/,
    ],
    [
      "with an unauthenticated route",
      () => keyless("/v1/models"),
      /GET \/v1\/models without a key is 401: status is 200/,
    ],
    [
      "that says 200 to malformed JSON",
      () => spoilPredict((answer, body) => (body === '{"' ? withBody(answer, "{}", 200) : answer)),
      /malformed JSON is 400 json-malformed/,
    ],
    [
      "whose problems are plain text",
      () => spoilPredict((answer) => (answer.ok ? answer : new Response("no", { status: answer.status }))),
      /content type none is not described/,
    ],
    [
      "whose problem code changed",
      () =>
        spoilPredict(async (answer) =>
          withBody(answer, (await answer.text()).replaceAll("key-unknown", "unknown-key")),
        ),
      /code is unknown-key, expected key-unknown/,
    ],
    [
      "that forgets WWW-Authenticate",
      () => async (request) => {
        const answer = await fetch(request);
        const changed = withBody(answer, await answer.text());
        changed.headers.delete("www-authenticate");
        return changed;
      },
      /WWW-Authenticate is none/,
    ],
    [
      "whose answer is wrong by more than the tolerance",
      () =>
        spoilPredict(async (answer) =>
          withBody(answer, (await answer.text()).replace('"label":"benign"', '"label":"malignant"')),
        ),
      /golden case .* expected "benign"/,
    ],
    [
      "that adds a field",
      () =>
        spoilPredict(async (answer) =>
          withBody(answer, (await answer.text()).replace('{"model"', '{"debug":1,"model"')),
        ),
      /must NOT have additional properties \(debug\)/,
    ],
    [
      "that answers another version",
      () => spoilPredict(async (answer) => withBody(answer, (await answer.text()).replace('"1.0.0"', '"9.9.9"'))),
      /must be equal to constant|expected tabular@1.0.0/,
    ],
    [
      "whose idempotent replay recomputes",
      () => async (request) => {
        const again = new Request(request);
        again.headers.delete("idempotency-key");
        return await fetch(again);
      },
      /lacks idempotency-replayed: it was computed again/,
    ],
    [
      "that gives one client's stored answer to another",
      () => (request) => {
        const same = new Request(request);
        const isPredictor = request.headers.get("authorization") === `Bearer ${real.otherKeys[1]?.key}`;
        if (isPredictor) same.headers.set("authorization", `Bearer ${real.key}`);
        return fetch(same);
      },
      /key predictor does not get another's stored answer/,
    ],
    [
      "that hangs up on DELETE",
      () => (request) =>
        request.method === "DELETE" ? Promise.reject(new TypeError("socket closed")) : fetch(request),
      /no answer to DELETE/,
    ],
    [
      "that promises a method which it lacks",
      () => async (request) =>
        request.method === "OPTIONS"
          ? new Response(null, { status: 204, headers: { allow: "GET, POST, PATCH" } })
          : await fetch(request),
      /patch is promised and not described/,
    ],
    [
      "whose HEAD has a body of another kind",
      () => async (request) => {
        const answer = await fetch(request);
        if (request.method === "HEAD") answer.headers.set("content-type", "text/html");
        return answer;
      },
      /HEAD .*content type is text\/html/,
    ],
    [
      "that is not ready",
      () => (request) => (request.url.endsWith("/readyz") ? new Response("loading", { status: 503 }) : fetch(request)),
      /GET \/readyz/,
    ],
    [
      "that describes nothing",
      () => (request) => (request.url.endsWith("/openapi.json") ? Response.json({ openapi: "3.0.0" }) : fetch(request)),
      /expected OpenAPI 3.1/,
    ],
    [
      "whose description leaves out the answer's schema",
      () => async (request) => {
        const answer = await fetch(request);
        if (!request.url.endsWith("/openapi.json")) return answer;
        const text = await answer.text();
        return withBody(
          answer,
          JSON.stringify(JSON.parse(text, (key, value) => (key === "200" ? { description: "" } : value))),
        );
      },
      /predict has no schema for its answer 200/,
    ],
  ])("%s", async (_, broken, words) => {
    const report = await check(broken());
    expect(report.verdict.kind).toBe("fail");
    expect(wordsOf(report)).toMatch(words);
  });
});

test("contract() shrinks a failing made-up request and prints it as a curl line without the key", async () => {
  const broken = spoilPredict((answer, body) => (body.includes("surprise") ? plainError() : answer));
  const { verdict } = await check(broken);
  const breach = verdict.kind === "fail" ? verdict.breaches.find((one) => one.includes("shrunk")) : undefined;
  expect(breach).toMatch(/curl -i -X POST .*\$SLUICE_KEY.*--data-binary '.*surprise.*seed \d+, shrunk \d+ times/);
  expect(JSON.stringify(verdict)).not.toContain(real.key);
});
