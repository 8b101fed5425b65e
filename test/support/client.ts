import { setImmediate, setTimeout } from "node:timers/promises";

/** What a client met: answers of status 200, requests that a busy service told to come again, and everything else in words. */
export interface Seen {
  answers: number;
  deferred: number;
  failures: string[];
}

/** Leaves the processor to those who are tested. */
const pauseMs = 20;

/** A client that asks the site one question after another until it is stopped. */
export function startClient(
  address: string,
  key: string,
): {
  /** Returns once this many questions were answered. */
  answered(count: number): Promise<void>;
  stop(): Promise<Seen>;
} {
  const seen: Seen = { answers: 0, deferred: 0, failures: [] };
  const stopped = new AbortController();
  const asking = (async () => {
    while (!stopped.signal.aborted) {
      await ask(address, key, seen);
      await setTimeout(pauseMs);
    }
  })();
  return {
    answered: async (count) => {
      while (seen.answers < count && !stopped.signal.aborted) await setImmediate();
    },
    stop: async () => {
      stopped.abort();
      await asking;
      return seen;
    },
  };
}

/** The service's own words for more requests than it can take, as on a machine that is busy with other tests. */
const busy = /"code":"(?:queue-full|wait-too-long|server-full)"/;

async function ask(address: string, key: string, seen: Seen): Promise<void> {
  try {
    const response = await fetch(`${address}/v1/models/magika/predict`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/octet-stream" },
      body: "import os\n\nprint(os.getcwd())\n",
    });
    const text = await response.text();
    if (response.status === 200) seen.answers += 1;
    else if (response.status === 503 && busy.test(text)) seen.deferred += 1;
    else seen.failures.push(`${response.status} ${text}`);
  } catch (error) {
    seen.failures.push(String(error));
  }
}
