import { randomUUID } from "node:crypto";
import type { Check } from "../../spec/report.ts";
import { type Answer, type Ask, send } from "./ask.ts";
import { Breach, type Context, expect, type Probe, runProbe } from "./context.ts";
import { Description } from "./openapi.ts";
import { type ArmName, openRouter, type Router } from "./router.ts";
import { unversioned } from "./unversioned.ts";

/** The other release: where it runs, and its own description. Both take the same key. */
export interface Other {
  url: string;
  openapi: string;
  version: string;
}

/** Both releases behind one router, and a client that was made for each. */
interface Mixed {
  context: Context;
  router: Router;
  clients: Record<ArmName, Description>;
  /** Which release it is that answers with a header of this text. */
  names: Map<string, ArmName>;
}

const revisionHeader = "x-sluice-revision";

const directions: readonly [ArmName, ArmName][] = [
  ["stable", "candidate"],
  ["candidate", "stable"],
];

/**
 * During a canary one client meets both releases. They run side by side behind the site's own router, and what was made
 * for one must go on with the other in both directions: upgrade, and rollback.
 */
export async function mixedChecks(context: Context, stable: Other): Promise<Check[]> {
  const router = openRouter({ stable: stable.url, candidate: context.service.url });
  const clients = {
    stable: clientOf(stable.openapi, stable.version),
    candidate: clientOf(context.description.text, context.manifest.version),
  };
  try {
    const mixed: Mixed = { context, router, clients, names: new Map() };
    const checks: Check[] = [];
    for (const probe of [{ name: "both releases answer by one router", run: () => meet(mixed) }, ...probesOf(mixed)])
      checks.push(await runProbe(probe));
    return checks;
  } finally {
    await router.close();
  }
}

function probesOf(mixed: Mixed): Probe[] {
  const bothWays = (prove: (mixed: Mixed, first: ArmName, second: ArmName) => Promise<void>) => async () => {
    for (const [first, second] of directions) await prove(mixed, first, second);
  };
  return [
    { name: "clients of both releases read every answer while requests alternate", run: () => alternate(mixed) },
    { name: "an Idempotency-Key survives an upgrade and a rollback", run: bothWays(retry) },
    { name: "a client that stays with one release survives an upgrade and a rollback", run: bothWays(stick) },
    { name: "no client keeps an answer of one release for the other", run: () => cache(mixed) },
  ];
}

/** Learns how each release calls itself, or is called by the router. */
async function meet(mixed: Mixed): Promise<void> {
  for (const arm of ["stable", "candidate"] as const) {
    mixed.router.shift(arm);
    const answer = await post(mixed, JSON.stringify(mixed.context.golden.cases[0]?.request));
    const name = answer.headers.get(revisionHeader) ?? "";
    expect(!mixed.names.has(name), `both releases call themselves ${name || "nothing"}`, answer, routed(mixed));
    mixed.names.set(name, arm);
  }
}

function clientOf(openapi: string, version: string): Description {
  return new Description(unversioned(openapi, version), "the description");
}

/** Every golden request and a bad one, twice: once for each release. */
async function alternate(mixed: Mixed): Promise<void> {
  const { context, router } = mixed;
  router.shift("both");
  for (const body of [...context.golden.cases.map((one) => JSON.stringify(one.request)), "{}"]) {
    const [one, two] = [await post(mixed, body), await post(mixed, body)];
    const [first, second] = [armOf(mixed, one), armOf(mixed, two)];
    expect(first !== second, `both requests were answered by ${first}, expected the other for one`);
    for (const answer of [one, two]) expectRead(mixed, answer);
    const same = Math.floor(one.status / 100) === Math.floor(two.status / 100);
    expect(same, `status is ${one.status} from ${first}, ${two.status} from ${second}`, two, routed(mixed));
  }
}

async function retry(mixed: Mixed, first: ArmName, second: ArmName): Promise<void> {
  const headers = { "idempotency-key": randomUUID() };
  const body = JSON.stringify(mixed.context.golden.cases[0]?.request);
  const ask = async (arm: ArmName) => {
    mixed.router.shift(arm);
    return post(mixed, body, headers);
  };
  const answer = await ask(first);
  expect(answer.status === 200, `status is ${answer.status} from ${first}, expected 200`, answer, routed(mixed));
  const retried = await ask(second);
  const { status } = retried;
  expect(status === 200, `status of the retry is ${status} from ${second}, expected 200`, retried, routed(mixed));
  expectRead(mixed, retried);
  const isStored = retried.headers.get("idempotency-replayed") === "true";
  expect(!isStored || retried.text === answer.text, `${second} replays another answer than ${first} gave`);
  const back = await ask(first);
  expect(back.text === answer.text, `${first} gives another answer to the same key after the change`);
}

async function stick(mixed: Mixed, first: ArmName, second: ArmName): Promise<void> {
  const headers = { "x-sluice-sticky": randomUUID() };
  const body = JSON.stringify(mixed.context.golden.cases[0]?.request);
  const answering = async (to: ArmName | "both", wanted?: string) => {
    mixed.router.shift(to);
    const answer = await post(mixed, body, headers);
    expectRead(mixed, answer);
    const found = armOf(mixed, answer);
    expect(wanted === undefined || found === wanted, `a client that stays met ${found}, expected ${wanted}`);
    return found;
  };
  await answering(first, first);
  const home = await answering("both");
  for (let i = 0; i < 3; i++) await answering("both", home);
  await answering(second, second);
  await answering("both", home);
}

/** What must not be cached says so; else a cache in between would mix releases. */
async function cache(mixed: Mixed): Promise<void> {
  const { context, router } = mixed;
  const paths = ["/v1/models", `/v1/models/${context.manifest.name}`, "/openapi.json", "/v1/release"];
  const described = paths.filter((path) => context.description.find("GET", path) !== undefined);
  for (const arm of ["stable", "candidate"] as const) {
    router.shift(arm);
    for (const path of described) {
      const answer = await send(routed(mixed), { method: "GET", path, key: context.key });
      const found = answer.headers.get("cache-control") ?? "none";
      expect(
        /\bno-(?:store|cache)\b/.test(found),
        `cache-control is ${found}, expected no-store`,
        answer,
        routed(mixed),
      );
    }
  }
}

/** Both clients read the answer, whichever release it is from. */
function expectRead(mixed: Mixed, answer: Answer): void {
  const { context, clients } = mixed;
  for (const reader of ["stable", "candidate"] as const) {
    const described = clients[reader].find("POST", context.predictPath);
    if (described === undefined) throw new Breach(`${reader} describes no POST ${context.predictPath}`);
    const fault = clients[reader].fault(described, answer.status, answer.headers.get("content-type"), answer.text);
    const message = `a client of ${reader} cannot read ${armOf(mixed, answer)}: ${fault}`;
    expect(fault === undefined, message, answer, routed(mixed));
  }
}

/** Who answered, as the router says. */
function armOf({ names }: Mixed, { headers }: Answer): string {
  const name = headers.get(revisionHeader) ?? "nobody";
  return names.get(name) ?? name;
}

function routed({ router }: Mixed): { url: string } {
  return { url: router.url };
}

function post({ context, router }: Mixed, body: string, more: Record<string, string> = {}): Promise<Answer> {
  const headers = { "content-type": "application/json", ...more };
  const ask: Ask = { method: "POST", path: context.predictPath, key: context.key, headers, body };
  return send({ url: router.url }, ask);
}
