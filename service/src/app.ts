import { OpenAPIHono } from "@hono/zod-openapi";
import { methodNotAllowed } from "hono/method-not-allowed";
import type { Release } from "../../pipeline/src/spec/release.ts";
import type { Proof } from "../../pipeline/src/spec/statement.ts";
import { addAbout } from "./about.ts";
import type { BodyLimits } from "./body.ts";
import { addDocs } from "./docs.ts";
import { addEmbeddings } from "./embeddings.ts";
import type { Ctx, Env } from "./env.ts";
import { createGuard, type Guard } from "./guard.ts";
import { addHealth } from "./health.ts";
import type { Idempotency } from "./idempotency/once.ts";
import type { Keyring } from "./keyring.ts";
import type { Log } from "./log.ts";
import type { Models } from "./models.ts";
import { observe } from "./observe.ts";
import { addOpenApi } from "./openapi.ts";
import { addPredict } from "./predict.ts";
import { answerProblem, asProblem, Problem } from "./problem.ts";
import type { RateLimit } from "./rate.ts";
import type { Readiness } from "./readiness.ts";
import { addScrape } from "./scrape.ts";
import type { Telemetry } from "./telemetry.ts";
import { limitUnderWay } from "./underway.ts";
import { addV2About } from "./v2/about.ts";
import { addInfer } from "./v2/infer.ts";

/** All that the app uses: it opens nothing, reads no environment, and listens nowhere. */
export type Deps = {
  models: Models;
  keyring: Keyring;
  readiness: Readiness;
  telemetry: Telemetry;
  log: Log;
  /** Milliseconds since the epoch. */
  now: () => number;
  newId: () => string;
  limits: BodyLimits & { connections: number };
  rateLimit: RateLimit;
  idempotency: Idempotency;
  /** Whether `/docs` is there. */
  docs: boolean;
  release?: Release;
  /** What admitted the release. */
  proof?: Proof;
  revision?: string;
};

/** The service on one port: typed and v2 routes, health, and what operators need. */
export function createApp(deps: Deps): OpenAPIHono<Env> {
  const { app, guard } = createPublicApp(deps);
  addOperations(app, app, deps, guard);
  return app;
}

/** The service on two ports: what clients need, and apart from it metrics, description and docs, for a private network. */
export function createSplitApps(deps: Deps): { app: OpenAPIHono<Env>; operations: OpenAPIHono<Env> } {
  const { app } = createPublicApp(deps);
  const { app: operations, guard } = createBase(deps);
  addOperations(operations, app, deps, guard);
  return { app, operations };
}

function createPublicApp(deps: Deps) {
  const { app, guard } = createBase(deps);
  addAbout(app, deps, guard);
  addPredict(app, deps, guard);
  addEmbeddings(app, deps, guard);
  addV2About(app, deps, guard);
  addInfer(app, deps, guard);
  return { app, guard };
}

function addOperations(app: OpenAPIHono<Env>, described: OpenAPIHono<Env>, deps: Deps, guard: Guard): void {
  addScrape(app, deps, guard);
  addOpenApi(app, described, guard);
  if (deps.docs) addDocs(app, described, guard);
}

/** What every port has: one log line and metric a request, health, a limit, 404, 405, and the one exit for errors. */
function createBase(deps: Deps): { app: OpenAPIHono<Env>; guard: Guard } {
  const app = new OpenAPIHono<Env>();
  app.use(observe(deps));
  app.use(methodNotAllowed({ app, onMethodNotAllowed: notAllowed }));
  addHealth(app, deps.readiness); // before the limit: a busy process is alive
  app.use(limitUnderWay(deps.limits.connections));
  app.notFound((c) => answer(c, new Problem("route-unknown", "There is no such route; /openapi.json lists them all")));
  app.onError((error, c) => answer(c, asProblem(error)));
  return { app, guard: createGuard(deps) };
}

function answer(c: Ctx, problem: Problem): Response {
  const wantsError = c.req.path.startsWith("/v2") || c.req.path === "/v1/embeddings";
  return answerProblem(problem, c.get("requestId"), wantsError ? { error: problem.message } : {});
}

function notAllowed(c: Ctx, methods: readonly string[]): Response {
  const allow = methods.join(", ");
  const detail = `The route has no method ${c.req.method}; it has ${allow}`;
  return answer(c, new Problem("method-not-allowed", detail, { headers: { allow } }));
}
