import { type Ask, send, Unanswered } from "./ask.ts";
import { ask, type Context, expect, expectProblem, type Probe } from "./context.ts";

const oversize = 16 * 1024 * 1024;
const cancelled = 20;

/** What is too large is refused, what is cancelled is dropped, and the service goes on. */
export function limitProbes(context: Context): Probe[] {
  const { key, predictPath, golden, service } = context;
  const post: Ask = { method: "POST", path: predictPath, key, headers: { "content-type": "application/json" } };
  const good: Ask = { ...post, body: JSON.stringify(golden.cases[0]?.request) };
  return [
    {
      name: `a body of ${oversize} bytes is 413 body-too-large`,
      run: () => tooLarge(context, post, good, false),
    },
    {
      name: `a body of ${oversize} bytes in chunks is 413 body-too-large`,
      run: () => tooLarge(context, post, good, true),
    },
    {
      name: `${cancelled} cancelled requests leave the service answering`,
      async run() {
        const abort = new AbortController();
        const flights = Array.from({ length: cancelled }, () =>
          send(service, good, abort.signal).catch(ignoreUnanswered),
        );
        // Some are answered, some are under way, some not yet read: whatever the moment finds.
        await Promise.race(flights);
        abort.abort();
        await Promise.all(flights);
        await expectNext(context, good);
      },
    },
  ];
}

async function tooLarge(context: Context, post: Ask, good: Ask, chunked: boolean): Promise<void> {
  const body = new Uint8Array(oversize).fill(0x20);
  // A server may close the connection in the middle of a body that it will not read.
  const answer = await ask(context, { ...post, body, chunked }).catch(ignoreUnanswered);
  if (answer !== undefined) expectProblem(answer, 413, "body-too-large", context.service);
  await expectNext(context, good);
}

async function expectNext(context: Context, good: Ask): Promise<void> {
  const answer = await ask(context, good);
  const wanted = `status of the next request is ${answer.status}, expected 200`;
  expect(answer.status === 200, wanted, answer, context.service);
}

function ignoreUnanswered(error: unknown): undefined {
  if (!(error instanceof Unanswered)) throw error;
}
