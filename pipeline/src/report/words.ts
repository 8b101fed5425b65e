import { explain, type Verdict } from "../spec/verdict.ts";

/** What is put around words for a terminal; picocolors' functions fit. */
export interface Colours {
  bold: (text: string) => string;
  dim: (text: string) => string;
  green: (text: string) => string;
  red: (text: string) => string;
  yellow: (text: string) => string;
}

/** `12 s`, `1 min 02 s`, `2 h 05 min`. */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${pad(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${pad(Math.floor((whole % 3600) / 60))} min`;
}

/** Three digits of a latency in milliseconds; `-` where nothing was measured. */
export function milliseconds(ms: number | null): string {
  if (ms === null) return "-";
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  return `${Math.round(ms)} ms`;
}

/** A verdict's reason without the words that only matter where it was first printed. */
export function plainReason(verdict: Verdict): string {
  return explain(verdict)
    .replace(/^Cannot [^:;]+: /, "")
    .replace(/; next: .*$/s, "");
}

/** A verdict's kind in its colour. */
export function paint(kind: Verdict["kind"], colours: Colours): (text: string) => string {
  switch (kind) {
    case "pass":
      return colours.green;
    case "fail":
    case "error":
      return colours.red;
    case "inconclusive":
      return colours.yellow;
  }
}

function pad(value: number): string {
  return String(value).padStart(2, "0");
}
