import type { Context } from "hono";
import type { Principal } from "./keyring.ts";

/** What middleware leaves for the handlers of one request. */
export type Env = { Variables: { requestId: string; principal: Principal } };

export type Ctx = Context<Env>;
