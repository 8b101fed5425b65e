import { randomUUID } from "node:crypto";
import { send } from "./ask.ts";
import { type Context, expect, type Probe } from "./context.ts";

/** Ends the service and starts it again; returns where it is then. */
export type Restart = () => Promise<string>;

/** What was answered before a restart is still answered, and a stored answer is not computed again. */
export function restartProbe(context: Context, restart: Restart): Probe {
  return {
    name: "an Idempotency-Key outlives a restart of the service",
    async run() {
      const headers = { "content-type": "application/json", "idempotency-key": randomUUID() };
      const body = JSON.stringify(context.golden.cases[0]?.request);
      const ask = { method: "POST", path: context.predictPath, key: context.key, headers, body };
      const first = await send(context.service, ask);
      expect(first.status === 200, `status is ${first.status}, expected 200`, first, context.service);
      context.service.url = await restart();
      const again = await send(context.service, ask);
      expect(again.status === 200, `status after the restart is ${again.status}, expected 200`, again, context.service);
      const isStored = again.headers.get("idempotency-replayed") === "true";
      expect(isStored, "the answer after the restart lacks idempotency-replayed: it was computed again");
      expect(again.text === first.text, "the answer after the restart differs from the one before");
    },
  };
}
