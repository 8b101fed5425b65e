import { describe, expect, test } from "bun:test";
import { castArms, type Server } from "../../pipeline/src/decide/arms.ts";
import type { Digest } from "../../pipeline/src/spec/digest.ts";
import type { Release } from "../../pipeline/src/spec/release.ts";

const digest = (digit: string): Digest => `sha256:${digit.repeat(64)}`;

function aRelease(version: string, digit: string): Release {
  return {
    id: `magika-${version}-${digit.repeat(12)}`,
    model: { name: "magika", version, digest: digest(digit) },
    code: { kind: "image", digest: digest(`${digit}`), reference: "registry.example/magika:1" },
    policy: { digest: digest("f") },
  };
}

const releases = { stable: aRelease("1.0.0", "a"), candidate: aRelease("2.0.0", "b") };
const old = { model: digest("a") };
const next = { model: digest("b") };

function servers(...list: [id: string, weight: number, serves: Server["serves"]][]): Server[] {
  return list.map(([id, weight, serves]) => ({ id, weight, serves }));
}

describe("castArms()", () => {
  test("takes the server with traffic as stable, and others by what they run", () => {
    const found = servers(["blue", 0, next], ["green", 100, old], ["red", 0, old]);
    expect(castArms(found, releases)).toEqual({
      kind: "arms",
      arms: { stable: "green", canary: "blue", baseline: "red" },
    });
  });

  test("goes back to what the environment runs after a rollout that nobody remembers", () => {
    const found = servers(["blue", 60, next], ["green", 30, old], ["red", 10, old]);
    expect(castArms(found, releases)).toMatchObject({ arms: { stable: "green", canary: "blue", baseline: "red" } });
  });

  test("finds nothing to do where the candidate has all traffic", () => {
    expect(castArms(servers(["blue", 100, next], ["red", 0, old]), releases)).toEqual({
      kind: "serving",
      stable: "blue",
    });
  });

  test("believes a server's own record more than its model", () => {
    const other = { model: digest("b"), image: digest("c") };
    const found = servers(["blue", 0, other], ["green", 100, old], ["red", 0, old]);
    expect(castArms(found, releases).kind).toBe("missing");
  });

  test.each([
    ["no server", [], "no server has traffic; found: no server"],
    ["no traffic", servers(["blue", 0, next]), "no server has traffic"],
    ["an unknown stable", servers(["blue", 0, next], ["green", 100, { model: digest("c") }]), "green has the traffic"],
    [
      "no candidate",
      servers(["blue", 0, undefined], ["green", 100, old], ["red", 0, old]),
      "blue (0 %) does not answer",
    ],
    ["no baseline", servers(["blue", 0, next], ["green", 100, old]), "no second server runs magika-1.0.0"],
  ] as const)("says what is missing: %s", (_, found, words) => {
    const casting = castArms(found, releases);
    expect(casting.kind === "missing" && casting.reason).toContain(words);
  });
});
