/** Whether the process may be sent requests: only when `ready`. While it drains it still answers those that come. */
export type Phase = "loading" | "ready" | "draining";

export class Readiness {
  phase: Phase = "loading";

  /** A process that drains already never becomes ready. */
  becomeReady(): void {
    if (this.phase === "loading") this.phase = "ready";
  }
}
