import { ProblemAnswer } from "../../spec/contract.ts";
import { DeployError } from "../../spec/error.ts";
import type { Golden } from "../../spec/golden.ts";
import type { Scope } from "../../spec/keys.ts";
import type { Manifest } from "../../spec/manifest.ts";
import type { Check } from "../../spec/report.ts";
import { type Answer, type Ask, type Service, send, toCurl, Unanswered } from "./ask.ts";
import { type Description, mediaType } from "./openapi.ts";

/** A key and what it may do. */
export interface HeldKey {
  name: string;
  key: string;
  scopes: Scope[];
}

/** What every part of the contract looks at. `key` has the scopes `predict` and `read`. */
export interface Context {
  service: Service;
  key: string;
  otherKeys: HeldKey[];
  manifest: Manifest;
  golden: Golden;
  description: Description;
  /** The path that asks the model. */
  predictPath: string;
}

/** One named look at the service; it throws a `Breach` for a "no". */
export interface Probe {
  name: string;
  run: () => Promise<void>;
}

/** The service does not keep the contract. The message says the state found and the state wanted. */
export class Breach extends Error {}

/** Throws a `Breach` unless `condition` holds. */
export function expect(condition: boolean, message: string, answer?: Answer, service?: Service): asserts condition {
  if (condition) return;
  const repeat = answer === undefined || service === undefined ? "" : `; repeat: ${toCurl(service.url, answer.ask)}`;
  throw new Breach(message + repeat);
}

/** Sends a request and holds the answer against the service's own description, whatever else is asked of it. */
export async function ask(context: Pick<Context, "service" | "description">, request: Ask): Promise<Answer> {
  const { service, description } = context;
  const answer = await send(service, request);
  const described = description.find(request.method, request.path);
  if (described === undefined) return answer;
  const fault = description.fault(described, answer.status, answer.headers.get("content-type"), answer.text);
  expect(fault === undefined, `answer ${answer.status} is not as described: ${fault}`, answer, service);
  return answer;
}

/** Holds an answer against the error contract: a problem of this status, with this code where one is given. */
export function expectProblem(
  answer: Answer,
  status: number,
  code: string | undefined,
  service: Service,
): ProblemAnswer {
  const wanted = `${status}${code === undefined ? "" : ` ${code}`}`;
  expect(answer.status === status, `status is ${answer.status}, expected ${wanted}`, answer, service);
  const type = mediaType(answer.headers.get("content-type"));
  expect(
    type === "application/problem+json",
    `content type is ${type || "none"}, expected application/problem+json`,
    answer,
    service,
  );
  const problem = ProblemAnswer.safeParse(jsonOf(answer, service));
  if (!problem.success) {
    const issue = problem.error.issues[0];
    throw new Breach(`problem is wrong at ${issue?.path.join(".") ?? ""}: ${issue?.message ?? ""}`);
  }
  expect(
    problem.data.status === status,
    `problem says status ${problem.data.status}, answer has ${status}`,
    answer,
    service,
  );
  const found = problem.data.code;
  expect(code === undefined || found === code, `problem's code is ${found}, expected ${code}`, answer, service);
  return problem.data;
}

/** The answer's JSON, or a `Breach`. */
export function jsonOf(answer: Answer, service: Service): unknown {
  try {
    return JSON.parse(answer.text);
  } catch {
    throw new Breach(`body is not JSON; repeat: ${toCurl(service.url, answer.ask)}`);
  }
}

/** Runs one probe. A request without an answer is the candidate's fault: that it runs at all was proven before. */
export async function runProbe({ name, run }: Probe): Promise<Check> {
  try {
    await run();
    return { name, verdict: { kind: "pass" } };
  } catch (error) {
    if (!(error instanceof Breach || error instanceof Unanswered || error instanceof DeployError)) throw error;
    return { name, verdict: { kind: "fail", breaches: [`${name}: ${error.message}`] } };
  }
}
