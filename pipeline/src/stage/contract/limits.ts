import { Unanswered } from "./ask.ts";
import { ask, type Context, expect, expectProblem, type Probe } from "./context.ts";

const oversize = 16 * 1024 * 1024;

/** Too large is refused whether its length is declared or not, and the service goes on. */
export function limitProbes(context: Context): Probe[] {
  const { key, predictPath, service, golden } = context;
  const json = { "content-type": "application/json" };
  const tooLarge = async (chunked: boolean) => {
    const body = new Uint8Array(oversize).fill(0x20);
    try {
      const answer = await ask(context, { method: "POST", path: predictPath, key, headers: json, body, chunked });
      expectProblem(answer, 413, "body-too-large", service);
    } catch (error) {
      // A server may close the connection in the middle of a body that it will not read.
      if (!(error instanceof Unanswered)) throw error;
    }
    const next = {
      method: "POST",
      path: predictPath,
      key,
      headers: json,
      body: JSON.stringify(golden.cases[0]?.request),
    };
    const answer = await ask(context, next);
    expect(answer.status === 200, `status of the next request is ${answer.status}, expected 200`, answer, service);
  };
  return [
    { name: `a body of ${oversize} bytes is 413 body-too-large`, run: () => tooLarge(false) },
    { name: `a body of ${oversize} bytes in chunks is 413 body-too-large`, run: () => tooLarge(true) },
  ];
}
