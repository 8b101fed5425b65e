import type { Context } from "hono";
import type { Principal } from "./keyring.ts";
import type { Trace } from "./trace.ts";

/** What middleware leaves for the handlers of one request. */
export type Env = { Variables: { requestId: string; principal: Principal; trace: Trace | undefined } };

export type Ctx = Context<Env>;
