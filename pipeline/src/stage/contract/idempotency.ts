import { randomUUID } from "node:crypto";
import type { Answer } from "./ask.ts";
import { ask, Breach, type Context, expect, expectProblem, type Probe } from "./context.ts";

const header = "idempotency-key";
const marker = "idempotency-replayed";
const concurrent = 8;

/** A request sent twice with one key is answered once: the second answer is the first, and says so. */
export function idempotencyProbes(context: Context): Probe[] {
  if (!isDescribed(context)) return [];
  const { service, golden } = context;
  const [body = "{}", other = "{}"] = golden.cases.map((one) => JSON.stringify(one.request));
  const send = (key: string, text: string, held = context.key) => sendWith(context, key, text, held);
  return [
    {
      name: "a request sent again with its Idempotency-Key gets the stored answer",
      async run() {
        const key = randomUUID();
        const first = await expectFresh(context, await send(key, body));
        const again = await send(key, body);
        expect(isReplayed(again), `the second answer lacks ${marker}: it was computed again`, again, service);
        expect(again.text === first.text, "the second answer differs from the first", again, service);
      },
    },
    {
      name: "an Idempotency-Key sent with another body is 422 idempotency-key-reused",
      async run() {
        if (other === body) return;
        const key = randomUUID();
        await expectFresh(context, await send(key, body));
        expectProblem(await send(key, other), 422, "idempotency-key-reused", service);
      },
    },
    {
      name: "an Idempotency-Key of 300 characters is 400 idempotency-key-invalid",
      run: async () => void expectProblem(await send("k".repeat(300), body), 400, "idempotency-key-invalid", service),
    },
    {
      name: "a refused request leaves its Idempotency-Key free",
      async run() {
        const key = randomUUID();
        expectProblem(await send(key, "{}"), 422, undefined, service);
        await expectFresh(context, await send(key, body));
      },
    },
    {
      name: `${concurrent} requests at once with one Idempotency-Key are computed once`,
      async run() {
        const key = randomUUID();
        const answers = await Promise.all(Array.from({ length: concurrent }, () => send(key, body)));
        const fresh = answers.filter((answer) => answer.status === 200 && !isReplayed(answer)).length;
        if (fresh !== 1) throw new Breach(`${fresh} of ${concurrent} answers were computed, expected 1`);
        for (const answer of answers)
          if (answer.status !== 200) expectProblem(answer, 409, "idempotency-in-flight", service);
      },
    },
    ...context.otherKeys
      .filter((held) => held.scopes.includes("predict") && held.key !== context.key)
      .map((held) => ({
        name: `key ${held.name} does not get another's stored answer`,
        async run() {
          const key = randomUUID();
          await expectFresh(context, await send(key, body));
          await expectFresh(context, await send(key, body, held.key));
        },
      })),
  ];
}

function isDescribed({ description, predictPath }: Context): boolean {
  const parameters = description.find("POST", predictPath)?.operation.parameters ?? [];
  return parameters.some((one) => one.in === "header" && one.name.toLowerCase() === header);
}

function sendWith(context: Context, key: string, body: string, held: string): Promise<Answer> {
  const headers = { "content-type": "application/json", [header]: key };
  return ask(context, { method: "POST", path: context.predictPath, key: held, headers, body });
}

async function expectFresh({ service }: Context, answer: Answer): Promise<Answer> {
  expect(answer.status === 200, `status is ${answer.status}, expected 200`, answer, service);
  expect(!isReplayed(answer), "the answer is a stored one, expected a new one", answer, service);
  return answer;
}

function isReplayed(answer: Answer): boolean {
  return answer.headers.get(marker) === "true";
}
