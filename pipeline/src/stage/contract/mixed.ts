import { randomUUID } from "node:crypto";
import { type Answer, type Ask, type Service, send } from "./ask.ts";
import { type Context, expect, type Probe } from "./context.ts";
import { Description } from "./openapi.ts";
import { unversioned } from "./unversioned.ts";

/** The other release: how to reach it, and its own description. */
export interface Other {
  service: Service;
  key: string;
  openapi: string;
  version: string;
}

interface Arm {
  name: string;
  service: Service;
  key: string;
  client: Description;
}

/**
 * During a canary one client meets both releases. What was made for one must read the answers of the other, in both
 * directions: upgrade, and rollback. Requests alternate; a retry may meet the other release.
 */
export function mixedProbes(context: Context, stable: Other): Probe[] {
  const candidate: Arm = {
    name: "the candidate",
    service: context.service,
    key: context.key,
    client: clientOf(context.description.text, context.manifest.version),
  };
  const before: Arm = { ...stable, name: "stable", client: clientOf(stable.openapi, stable.version) };
  return [
    { name: "stable's clients read the candidate's answers", run: () => readAll(context, before, candidate) },
    { name: "the candidate's clients read stable's answers", run: () => readAll(context, candidate, before) },
    {
      name: "an Idempotency-Key survives a change of release in both directions",
      async run() {
        for (const [first, second] of [
          [before, candidate],
          [candidate, before],
        ] as const) {
          await retryAcross(context, first, second);
        }
      },
    },
  ];
}

function clientOf(openapi: string, version: string): Description {
  return new Description(unversioned(openapi, version), "the description");
}

/** Every golden request and a bad one, to one release and then to the other; the answers are read with `reader`'s client. */
async function readAll(context: Context, reader: Arm, answering: Arm): Promise<void> {
  for (const body of [...context.golden.cases.map((one) => JSON.stringify(one.request)), "{}"]) {
    const home = await post(context, reader, body);
    const away = await post(context, answering, body);
    expectRead(context, reader, answering, away);
    const same = Math.floor(home.status / 100) === Math.floor(away.status / 100);
    expect(
      same,
      `status is ${away.status} from ${answering.name}, ${home.status} from ${reader.name}`,
      away,
      answering.service,
    );
  }
}

async function retryAcross(context: Context, first: Arm, second: Arm): Promise<void> {
  const key = randomUUID();
  const body = JSON.stringify(context.golden.cases[0]?.request);
  const answer = await post(context, first, body, key);
  expect(answer.status === 200, `status is ${answer.status} from ${first.name}, expected 200`, answer, first.service);
  const retried = await post(context, second, body, key);
  expect(
    retried.status === 200,
    `status of the retry is ${retried.status} from ${second.name}, expected 200`,
    retried,
    second.service,
  );
  expectRead(context, first, second, retried);
  const back = await post(context, first, body, key);
  expect(
    back.text === answer.text,
    `${first.name} gives another answer to the same key after the change`,
    back,
    first.service,
  );
}

function expectRead({ predictPath }: Context, reader: Arm, answering: Arm, answer: Answer): void {
  const described = reader.client.find("POST", predictPath);
  expect(described !== undefined, `${reader.name} describes no POST ${predictPath}`);
  const fault = reader.client.fault(described, answer.status, answer.headers.get("content-type"), answer.text);
  expect(
    fault === undefined,
    `a client of ${reader.name} cannot read ${answering.name}: ${fault}`,
    answer,
    answering.service,
  );
}

function post({ predictPath }: Context, { service, key }: Arm, body: string, idempotencyKey?: string): Promise<Answer> {
  const headers: Ask["headers"] = { "content-type": "application/json" };
  if (idempotencyKey !== undefined) headers["idempotency-key"] = idempotencyKey;
  return send(service, { method: "POST", path: predictPath, key, headers, body });
}
