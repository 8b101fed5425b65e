/** Ctrl-C and SIGTERM as a signal: work stops between two actions and goes on with the next run. */
export function interruption(): { signal: AbortSignal; stop(): void } {
  const controller = new AbortController();
  const onSignal = () => controller.abort();
  process.once("SIGINT", onSignal);
  process.once("SIGTERM", onSignal);
  return {
    signal: controller.signal,
    stop: () => {
      process.off("SIGINT", onSignal);
      process.off("SIGTERM", onSignal);
    },
  };
}
