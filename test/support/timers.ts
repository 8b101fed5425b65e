/** The timers of this thread, counted while they are neither done nor cleared. */
export type TimerWatch = {
  /** Timers that still run. */
  running(): number;
} & Disposable;

/** Counts timeouts that are started from now on, until it is disposed of. */
export function watchTimers(): TimerWatch {
  const { setTimeout: start, clearTimeout: clear } = globalThis;
  const running = new Set<unknown>();
  const counted = (handler: (...values: unknown[]) => void, ms?: number, ...values: unknown[]) => {
    const timer = start(() => {
      running.delete(timer);
      handler(...values);
    }, ms);
    running.add(timer);
    return timer;
  };
  globalThis.setTimeout = Object.assign(counted, start);
  globalThis.clearTimeout = (timer?: unknown) => {
    running.delete(timer);
    Reflect.apply(clear, globalThis, [timer]);
  };
  return {
    running: () => running.size,
    [Symbol.dispose]() {
      globalThis.setTimeout = start;
      globalThis.clearTimeout = clear;
    },
  };
}
