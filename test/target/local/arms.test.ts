import { expect, test } from "bun:test";
import fc from "fast-check";
import { Arms } from "../../../pipeline/src/target/local/arms.ts";
import { newUpstream, type Upstream } from "../../../pipeline/src/target/local/upstream.ts";

function upstream(id: string, base: string | undefined = `http://127.0.0.1/${id}`): Upstream {
  return Object.assign(newUpstream(id), { base });
}

function arms(weights: Record<string, number>): Arms {
  const it = new Arms();
  for (const id of Object.keys(weights)) it.add(upstream(id));
  it.weigh(weights);
  return it;
}

test("draw() gives each revision exactly its share of the unit interval", () => {
  const shares = fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(shares, (some) => {
      const rest = 100 - some.reduce((sum, weight) => sum + weight, 0);
      fc.pre(rest >= 0);
      const weights = Object.fromEntries([...some, rest].map((weight, index) => [`arm${index}`, weight]));
      const it = arms(weights);
      const counts: Record<string, number> = Object.fromEntries(Object.keys(weights).map((id) => [id, 0]));
      for (let percent = 0; percent < 100; percent += 1) {
        const id = it.draw((percent + 0.5) / 100)?.id ?? "nobody";
        counts[id] = (counts[id] ?? 0) + 1;
      }
      expect(counts).toEqual(weights);
    }),
  );
});

test("draw() gives the last revision at the largest random number", () => {
  expect(arms({ one: 99, two: 1 }).draw(1 - Number.EPSILON / 2)?.id).toBe("two");
});

test("draw() gives nobody without weights", () => {
  expect(arms({}).draw(0.5)).toBeUndefined();
});

test("drawFor() keeps a client with its revision while the canary grows, and splits clients by weight", () => {
  const clients = Array.from({ length: 4_000 }, (_, index) => `client ${index}`);
  const at = (canary: number) => {
    const it = arms({ stable: 100 - canary, canary });
    return clients.map((client) => it.drawFor(client)?.id);
  };
  const [few, many] = [at(10), at(50)];
  expect(few.filter((id) => id === "canary").length / clients.length).toBeCloseTo(0.1, 1);
  expect(many.filter((id) => id === "canary").length / clients.length).toBeCloseTo(0.5, 1);
  const leftCanary = clients.filter((_, index) => few[index] === "canary" && many[index] !== "canary");
  expect(leftCanary).toEqual([]);
});

test("spare() is the largest other revision that takes requests", () => {
  const it = arms({ one: 60, two: 10, three: 30 });
  const one = it.find("one") ?? upstream("none");
  expect(it.spare(one)?.id).toBe("three");
  Object.assign(it.find("three") ?? {}, { healthy: false });
  expect(it.spare(one)?.id).toBe("two");
  Object.assign(it.find("two") ?? {}, { base: undefined });
  expect(it.spare(one)).toBeUndefined();
});

test("spare() falls back to stable, even without weight", () => {
  const it = arms({ canary: 100, stable: 0 });
  it.stable = "stable";
  expect(it.spare(it.find("canary") ?? upstream("none"))?.id).toBe("stable");
});
