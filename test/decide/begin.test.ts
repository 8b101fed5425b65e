import { expect, test } from "bun:test";
import { mayBegin } from "../../pipeline/src/decide/begin.ts";
import { FreezeWindow } from "../../pipeline/src/spec/freeze.ts";
import { aStrategy } from "../support/policies.ts";

const weekend = FreezeWindow.parse({
  kind: "weekly",
  reason: "weekend",
  zone: "Europe/Berlin",
  days: ["fri", "sat", "sun"],
  from: "16:00",
  to: "08:00",
});
const lunch = FreezeWindow.parse({ ...weekend, reason: "lunch", days: ["mon"], from: "12:00", to: "13:00" });
const night = FreezeWindow.parse({ ...weekend, reason: "night", days: ["sun"], from: "01:00", to: "04:00" });
const holidays = FreezeWindow.parse({
  kind: "dated",
  reason: "holidays",
  zone: "Asia/Tokyo",
  from: "2026-12-29",
  to: "2027-01-03",
});

function at(time: string, windows: FreezeWindow[], changes: { abortedAt?: number; cooldownSeconds?: number } = {}) {
  const strategy = aStrategy({ cooldownSeconds: changes.cooldownSeconds ?? 0 });
  return mayBegin({ now: Date.parse(time), windows, strategy, abortedAt: changes.abortedAt });
}

test.each([
  ["before a weekly window", "2026-11-27T14:59:59Z", [weekend], "pass"],
  ["at its first minute", "2026-11-27T15:00:00Z", [weekend], "fail"],
  ["after midnight of it", "2026-11-28T02:00:00Z", [weekend], "fail"],
  ["in its last minute", "2026-11-30T06:59:59Z", [weekend], "fail"],
  ["at its end", "2026-11-30T07:00:00Z", [weekend], "pass"],
  ["in the middle of the day between two of its nights", "2026-11-28T11:00:00Z", [weekend], "pass"],
  ["in a window inside a day", "2026-11-23T11:30:00Z", [lunch], "fail"],
  ["at the end of a window inside a day", "2026-11-23T12:00:00Z", [lunch], "pass"],
  ["on another day than the window's", "2026-11-24T11:30:00Z", [lunch], "pass"],
  ["before the clocks go forward", "2026-03-29T00:59:59Z", [night], "fail"],
  ["after they went from 2 to 3", "2026-03-29T01:00:00Z", [night], "fail"],
  ["at 4 on that day, one hour early by UTC", "2026-03-29T02:00:00Z", [night], "pass"],
  ["at 4 on the day they go back, one hour late by UTC", "2026-10-25T02:59:59Z", [night], "fail"],
  ["after 4 on that day", "2026-10-25T03:00:00Z", [night], "pass"],
  ["on the day before a dated window, by its own calendar", "2026-12-28T14:59:59Z", [holidays], "pass"],
  ["on its first day, by its own calendar", "2026-12-28T15:00:00Z", [holidays], "fail"],
  ["on its last day", "2027-01-03T14:59:59Z", [holidays], "fail"],
  ["after its last day", "2027-01-03T15:00:00Z", [holidays], "pass"],
  ["in no window at all", "2026-11-28T02:00:00Z", [], "pass"],
] as const)("mayBegin() %s", (_, time, windows, kind) => {
  expect(at(time, [...windows]).kind).toBe(kind);
});

test("mayBegin() waits for the cooldown after the same release was taken back, and says how long", () => {
  const abortedAt = Date.parse("2026-11-24T12:00:00Z");
  const early = at("2026-11-24T12:00:30Z", [], { abortedAt, cooldownSeconds: 60 });
  expect(early).toMatchObject({ kind: "fail", breaches: [expect.stringContaining("cooldown ends in 30 s")] });
  expect(at("2026-11-24T12:01:00Z", [], { abortedAt, cooldownSeconds: 60 }).kind).toBe("pass");
});

test("mayBegin() says which window it is, and when that ends", () => {
  expect(at("2026-11-23T11:30:00Z", [lunch])).toEqual({
    kind: "fail",
    breaches: ["frozen: lunch (mon 12:00 to 13:00 in Europe/Berlin)"],
  });
  expect(at("2027-01-01T12:00:00Z", [holidays])).toEqual({
    kind: "fail",
    breaches: ["frozen: holidays (2026-12-29 to 2027-01-03 in Asia/Tokyo)"],
  });
});

test("mayBegin() counts the minutes of a window's ends", () => {
  const late = FreezeWindow.parse({ ...weekend, days: ["mon"], from: "12:15", to: "12:45" });
  const times = ["11:14", "11:15", "11:44", "11:45"].map((time) => at(`2026-11-23T${time}:00Z`, [late]).kind);
  expect(times).toEqual(["pass", "fail", "fail", "pass"]);
});

test("mayBegin() takes a window that begins and ends at one time for a whole day", () => {
  const always = FreezeWindow.parse({ ...weekend, days: ["mon"], from: "12:00", to: "12:00" });
  const times = ["2026-11-23T10:59:00Z", "2026-11-23T11:00:00Z", "2026-11-24T10:59:00Z", "2026-11-24T11:00:00Z"];
  expect(times.map((time) => at(time, [always]).kind)).toEqual(["pass", "fail", "fail", "pass"]);
});

test("FreezeWindow refuses a zone and a time of day that are none", () => {
  expect(FreezeWindow.safeParse({ ...weekend, zone: "Europe/Atlantis" }).success).toBe(false);
  expect(FreezeWindow.safeParse({ ...weekend, from: "24:00" }).success).toBe(false);
});
