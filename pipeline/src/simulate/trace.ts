import { DeployError } from "../spec/error.ts";
import { type Latencies, withPercentiles } from "./latencies.ts";

/** Recorded requests of one service: their latencies in milliseconds by the second, as its clock counts them. */
export interface Trace {
  seconds: ReadonlyMap<number, readonly number[]>;
  ratePerSecond: number;
}

/** The first line of a trace. Each other line is one answered request: when it was sent, counted from anywhere, and how long it took. */
const traceHead = "at_ms,latency_ms";
/** A trace shorter than this says too little about a site's weather. */
const fewestSeconds = 30;
/** After so many seconds, on average, a replay goes on at another place of the trace. */
const meanStay = 30;

/** A trace as text, one answered request a line. */
export function formatTrace(requests: readonly { atMs: number; latencyMs: number }[]): string {
  const lines = requests.map(({ atMs, latencyMs }) => `${Math.round(atMs)},${latencyMs.toFixed(3)}`);
  return `${[traceHead, ...lines].join("\n")}\n`;
}

/** Reads a trace; throws `E_FILE` naming the line that is none. */
export function parseTrace(text: string, path: string): Trace {
  const [head, ...lines] = text.trimEnd().split(/\r?\n/);
  if (head !== traceHead) throw invalid(path, 1, head ?? "", traceHead);
  const requests = lines.map((line, i) => {
    const [, at, latency] = /^(\d+(?:\.\d+)?),(\d+(?:\.\d+)?)$/.exec(line) ?? [];
    if (at === undefined || !(Number(latency) > 0)) throw invalid(path, i + 2, line, "two numbers such as 1250,4.8");
    return { second: Math.floor(Number(at) / 1000), latencyMs: Number(latency) };
  });
  const bySecond = Map.groupBy(requests, ({ second }) => second);
  const order = [...bySecond.keys()].toSorted((a, b) => a - b);
  const span = (order.at(-1) ?? 0) - (order[0] ?? 0) + 1;
  if (span < fewestSeconds) {
    throw new DeployError("E_FILE", `Cannot use trace ${path}: it has ${span} s, expected at least ${fewestSeconds} s`);
  }
  const seconds = new Map(order.map((second) => [second, (bySecond.get(second) ?? []).map((one) => one.latencyMs)]));
  return { seconds, ratePerSecond: requests.length / span };
}

/**
 * Replays one trace, or two that were recorded at the same time: canary and baseline meet the same seconds, in their
 * order, so that what disturbed the machine disturbs both as it did; each draws from the requests of its own trace.
 * Now and then the replay goes on at another place. Throws `E_FILE` for traces with too few seconds in common.
 */
export function replayed(traces: readonly Trace[]): Latencies {
  const common = [...(traces[0]?.seconds.keys() ?? [])].filter((second) =>
    traces.every((one) => one.seconds.has(second)),
  );
  if (common.length < fewestSeconds) {
    const found = `they have ${common.length} s in common, expected at least ${fewestSeconds} s`;
    throw new DeployError("E_FILE", `Cannot replay the traces: ${found}; next: record them at the same time`);
  }
  const logs = traces.map(({ seconds }) => common.map((at) => (seconds.get(at) ?? []).map((ms) => Math.log(ms))));
  return withPercentiles((random) => {
    const anywhere = () => Math.floor(random.uniform() * common.length);
    const places = [anywhere()];
    const placeAt = (second: number) => {
      while (places.length <= second) {
        const stays = random.uniform() >= 1 / meanStay;
        places.push(stays ? ((places.at(-1) ?? 0) + 1) % common.length : anywhere());
      }
      return places[second] ?? 0;
    };
    // Which of two is whose is drawn too: neither arm has the better machine for ever.
    let arm = Math.floor(random.uniform() * logs.length);
    return () => {
      const own = logs[arm++ % logs.length] ?? [];
      let second = 0;
      return {
        nextSecond() {
          second += 1;
        },
        next() {
          const met = own[placeAt(second)] ?? [];
          return met[Math.floor(random.uniform() * met.length)] ?? 0;
        },
      };
    };
  });
}

function invalid(path: string, line: number, found: string, expected: string): DeployError {
  return new DeployError("E_FILE", `Cannot read ${path}:${line}: found "${found.slice(0, 80)}", expected ${expected}`);
}
