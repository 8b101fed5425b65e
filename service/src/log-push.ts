import { setTimeout } from "node:timers/promises";
import type { Log, LogEntry } from "./log.ts";

/** OpenTelemetry's names and numbers of the levels. */
const severities = { info: ["INFO", 9], warn: ["WARN", 13], error: ["ERROR", 17] } as const;

/** A waiting record: its moment in milliseconds since the epoch. */
type Waiting = { time: number; entry: LogEntry };

type AnyValue = { stringValue: string } | { intValue: string } | { doubleValue: number };

export type LogPush = Log & {
  /** Sends what is left, for at most two seconds. */
  shutdown(): Promise<void>;
};

export type LogPushOptions = {
  /** Base address of an OpenTelemetry collector's HTTP port. */
  endpoint: string;
  resource: Record<string, string>;
  /** Where a collector that cannot be reached is told of, once until it can be. */
  local: Log;
  now: () => number;
  /** Records that may wait; more are dropped. */
  limit?: number;
};

const everyMs = 1_000;
/** Few enough that making their records does not hold up requests: less than a millisecond. */
const atOnce = 256;
const timeoutMs = 5_000;

/**
 * Sends log lines as OTLP (HTTP, JSON). `write` only keeps the entry: records are made when they are sent, a batch at a
 * time, so a request pays next to nothing, and a collector that is slow or down costs records and nothing else.
 */
export function createLogPush({ endpoint, resource, local, now, limit = 4_096 }: LogPushOptions): LogPush {
  let waiting: Waiting[] = [];
  let sending: Promise<void> | undefined;
  let dropped = 0;
  let isDown = false;
  const send = async () => {
    const batch = waiting.slice(0, atOnce);
    waiting = waiting.slice(atOnce);
    const failure = await post(`${endpoint}/v1/logs`, requestOf(resource, batch));
    if (failure === undefined && isDown) {
      local.write({ level: "info", message: "logs are sent again", dropped });
      dropped = 0;
    }
    if (failure !== undefined) dropped += batch.length;
    if (failure !== undefined && !isDown) {
      local.write({ level: "warn", message: "logs cannot be sent: records are dropped", endpoint, cause: failure });
    }
    isDown = failure !== undefined;
  };
  const start = () => {
    if (sending !== undefined || waiting.length === 0) return;
    sending = send().finally(() => {
      sending = undefined;
      if (waiting.length >= atOnce && !isDown) start();
    });
  };
  const timer = setInterval(start, everyMs);
  timer.unref();
  return {
    write(entry) {
      if (waiting.length >= limit) dropped += 1;
      else waiting.push({ time: now(), entry });
      if (waiting.length === atOnce && !isDown) start();
    },
    flush: start,
    async shutdown() {
      clearInterval(timer);
      const rest = async () => {
        await sending;
        while (waiting.length > 0 && !isDown) await send();
      };
      await Promise.race([rest(), setTimeout(2_000, undefined, { ref: false })]);
    },
  };
}

/** A log that writes to both. */
export function joinLogs(one: Log, other: Log): Log {
  return {
    write(entry) {
      one.write(entry);
      other.write(entry);
    },
    flush() {
      one.flush();
      other.flush();
    },
  };
}

/** Why it could not be sent, or undefined. */
async function post(url: string, body: string): Promise<string | undefined> {
  try {
    const signal = AbortSignal.timeout(timeoutMs);
    const headers = { "content-type": "application/json" };
    const response = await fetch(url, { method: "POST", headers, body, signal, redirect: "error" });
    await response.arrayBuffer();
    return response.ok ? undefined : `status is ${response.status}, expected 200`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function requestOf(resource: Record<string, string>, batch: readonly Waiting[]): string {
  const scopeLogs = [{ scope: { name: "sluice" }, logRecords: batch.map(recordOf) }];
  return JSON.stringify({ resourceLogs: [{ resource: { attributes: attributesOf(resource) }, scopeLogs }] });
}

function recordOf({ time, entry: { level, message, traceId, spanId, ...rest } }: Waiting) {
  const [severityText, severityNumber] = severities[level];
  const trace = typeof traceId === "string" && typeof spanId === "string" ? { traceId, spanId } : {};
  const body = { stringValue: message };
  return {
    timeUnixNano: `${time}000000`,
    severityText,
    severityNumber,
    body,
    attributes: attributesOf(rest),
    ...trace,
  };
}

function attributesOf(values: Record<string, unknown>): { key: string; value: AnyValue }[] {
  return Object.entries(values).flatMap(([key, value]) =>
    value === undefined ? [] : [{ key, value: anyValueOf(value) }],
  );
}

function anyValueOf(value: unknown): AnyValue {
  if (typeof value !== "number") return { stringValue: String(value) };
  return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}
