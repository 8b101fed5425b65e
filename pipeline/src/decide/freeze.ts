import type { Day, FreezeWindow } from "../spec/freeze.ts";

const days: readonly Day[] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/** A moment on the wall of a time zone. `date` is ISO, `minutes` since midnight. */
interface Wall {
  date: string;
  day: Day;
  minutes: number;
}

/** The window that forbids a rollout to begin at `now` (milliseconds since the epoch), if any does. */
export function frozenBy(now: number, windows: readonly FreezeWindow[]): FreezeWindow | undefined {
  return windows.find((window) => isInside(wallOf(now, window.zone), window));
}

function isInside(wall: Wall, window: FreezeWindow): boolean {
  if (window.kind === "dated") return window.from <= wall.date && wall.date <= window.to;
  const [from, to] = [minutesOf(window.from), minutesOf(window.to)];
  const today = window.days.includes(wall.day);
  if (from < to) return today && from <= wall.minutes && wall.minutes < to;
  // It runs over midnight: the evening of its day, or the morning after.
  return (today && wall.minutes >= from) || (window.days.includes(dayBefore(wall.day)) && wall.minutes < to);
}

/** What the clocks of `zone` show, daylight saving included. */
function wallOf(now: number, zone: string): Wall {
  const format = new Intl.DateTimeFormat("en-CA", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
  });
  const parts = new Map(format.formatToParts(now).map(({ type, value }) => [type, value]));
  const date = `${parts.get("year")}-${parts.get("month")}-${parts.get("day")}`;
  return {
    date,
    day: days[new Date(`${date}T00:00:00Z`).getUTCDay()] ?? "sun",
    minutes: Number(parts.get("hour")) * 60 + Number(parts.get("minute")),
  };
}

function minutesOf(clock: string): number {
  return Number(clock.slice(0, 2)) * 60 + Number(clock.slice(3));
}

function dayBefore(day: Day): Day {
  return days[(days.indexOf(day) + 6) % 7] ?? day;
}
