import { DeployError } from "../spec/error.ts";
import { type Latencies, withPercentiles } from "./latencies.ts";

/** A recorded site: the latencies of each of its seconds in milliseconds, and how many requests came in a second. */
export interface Trace {
  seconds: readonly (readonly number[])[];
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
  const seconds = order.map((second) => (bySecond.get(second) ?? []).map(({ latencyMs }) => latencyMs));
  return { seconds, ratePerSecond: requests.length / span };
}

/**
 * Replays a trace: each second of an arm is a second of the trace, in the trace's order, so that slow seconds stay
 * together; within it any of its requests may be met. Every arm begins at a place of its own and now and then jumps.
 */
export function replayed({ seconds }: Trace): Latencies {
  const logs = seconds.map((one) => one.map((ms) => Math.log(ms)));
  return withPercentiles((random) => () => {
    const anywhere = () => Math.floor(random.uniform() * logs.length);
    let at = anywhere();
    return {
      nextSecond() {
        at = random.uniform() < 1 / meanStay ? anywhere() : (at + 1) % logs.length;
      },
      next() {
        const second = logs[at] ?? [];
        return second[Math.floor(random.uniform() * second.length)] ?? 0;
      },
    };
  });
}

function invalid(path: string, line: number, found: string, expected: string): DeployError {
  return new DeployError("E_FILE", `Cannot read ${path}:${line}: found "${found.slice(0, 80)}", expected ${expected}`);
}
