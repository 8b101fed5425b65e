import { expect, test } from "bun:test";
import { answerComparer } from "../../pipeline/src/stage/answers.ts";
import { serve, type TinyServer } from "../support/server.ts";

/** A service that answers request `n` with the label that `labelOf` gives; undefined is a failure. */
function arm(labelOf: (n: number, index: number) => string | undefined): TinyServer & AsyncDisposable {
  const server = serve(async (request, index) => {
    const label = labelOf(Number(await request.text()), index);
    return label === undefined ? new Response("no", { status: 500 }) : Response.json({ output: { label } });
  });
  return { ...server, [Symbol.asyncDispose]: () => server.stop() };
}

const asked = { key: "k", model: "m", timeoutMs: 5_000 };
const requests = [1, 2, 3, 4];
const even = (n: number) => (n % 2 === 0 ? "even" : "odd");

test("answerComparer() counts what canary and baseline answer otherwise than stable, to the same requests", async () => {
  await using stable = arm(even);
  await using canary = arm((n) => (n === 3 ? "prime" : even(n)));
  await using baseline = arm((n) => (n === 1 || n === 4 ? "?" : even(n)));
  const compare = answerComparer(requests, asked);
  const arms = { stable: stable.url, canary: canary.url, baseline: baseline.url };
  expect(await compare(arms, 3)).toEqual({ compared: 3, changed: 1, noise: 1 });
  // It goes on where it was, and from the start again.
  expect(await compare(arms, 2)).toEqual({ compared: 2, changed: 0, noise: 2 });
});

test("answerComparer() knows no noise without a baseline", async () => {
  await using stable = arm(even);
  await using canary = arm(() => "odd");
  const compare = answerComparer(requests, asked);
  expect(await compare({ stable: stable.url, canary: canary.url }, 4)).toEqual({ compared: 4, changed: 2 });
});

test("answerComparer() asks stable once for each request", async () => {
  await using stable = arm((n, index) => `${even(n)} ${index > 3 ? "later" : ""}`);
  await using canary = arm((n) => `${even(n)} `);
  const compare = answerComparer(requests, asked);
  expect(await compare({ stable: stable.url, canary: canary.url }, 12)).toEqual({ compared: 12, changed: 0 });
  expect([stable.seen(), canary.seen()]).toEqual([4, 12]);
});

test("answerComparer() compares nothing that stable does not answer, and takes no answer of another arm for a change", async () => {
  await using stable = arm((n, index) => (index === 0 ? undefined : even(n)));
  await using silent = arm(() => undefined);
  await using baseline = arm(even);
  const compare = answerComparer(requests, asked);
  const arms = { stable: stable.url, canary: silent.url, baseline: baseline.url };
  expect(await compare(arms, 4)).toEqual({ compared: 3, changed: 3, noise: 0 });
  const nowhere = { ...arms, canary: "http://127.0.0.1:1" };
  expect(await compare(nowhere, 1)).toMatchObject({ compared: 1, changed: 1 });
});
