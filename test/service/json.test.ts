import { expect, test } from "bun:test";
import fc from "fast-check";
import { maxDepth, parseBody, toPointer } from "../../service/src/json.ts";
import { Problem, type ProblemCode } from "../../service/src/problem.ts";

const encoder = new TextEncoder();

function problemOf(bytes: Uint8Array): Problem {
  try {
    parseBody(bytes);
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
  throw new Error("No problem was thrown");
}

test.each<[string, string, ProblemCode, string | undefined]>([
  ["a key twice", '{"a":1,"a":2}', "key-duplicate", "/a"],
  ["a key twice, once escaped", '{"a":1,"\\u0061":2}', "key-duplicate", "/a"],
  ["a nested key twice", '{"x":[0,{"b":{},"c":[],"b":1}]}', "key-duplicate", "/x/1/b"],
  [
    "a key twice among many",
    `{${Array.from({ length: 40 }, (_, i) => `"k${i}":0,`).join("")}"k3":1}`,
    "key-duplicate",
    "/k3",
  ],
  ["a key with / and ~ twice", '{"a/~":1,"a/~":1}', "key-duplicate", "/a~1~0"],
  ["__proto__", '{"a":{"__proto__":{}}}', "key-unknown", "/a/__proto__"],
  ["a number that is infinite", '{"a":[1,-1e999]}', "number-out-of-range", "/a/1"],
  ["a long number that is infinite", `[${"9".repeat(400)}]`, "number-out-of-range", "/0"],
  ["NaN", '{"a":NaN}', "json-malformed", undefined],
  ["Infinity", "[Infinity]", "json-malformed", undefined],
  ["a trailing comma", "[1,]", "json-malformed", undefined],
  ["an open string", '{"a', "json-malformed", undefined],
  ["an open object", "{", "json-malformed", undefined],
  ["a comment", "{}//", "json-malformed", undefined],
  ["only spaces", "  ", "json-malformed", undefined],
  ["a broken escape in a key", '{"\\x":1}', "json-malformed", undefined],
])("parseBody() refuses %s", (_, text, code, pointer) => {
  const problem = problemOf(encoder.encode(text));
  expect(problem.code).toBe(code);
  expect(problem.faults?.[0]?.pointer).toBe(pointer);
});

test("parseBody() refuses bytes that are not UTF-8", () => {
  expect(problemOf(Uint8Array.of(0x22, 0xff, 0x22)).code).toBe("utf8-invalid");
  expect(problemOf(Uint8Array.of(0x22, 0xed, 0xa0, 0x80, 0x22)).code).toBe("utf8-invalid");
});

test("parseBody() takes the deepest nesting that is allowed and refuses one more, however deep", () => {
  const nested = (depth: number) => encoder.encode("[".repeat(depth) + "]".repeat(depth));
  expect(parseBody(nested(maxDepth))).toBeArray();
  expect(problemOf(nested(maxDepth + 1)).code).toBe("json-too-deep");
  expect(problemOf(nested(1_000_000)).code).toBe("json-too-deep");
});

test("parseBody() agrees with JSON.parse on every value without duplicate keys", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 8 }), fc.constantFrom(undefined, 1), (value, space) => {
      const text = JSON.stringify(value, undefined, space);
      if (text.includes("__proto__")) return;
      expect(parseBody(encoder.encode(text))).toEqual(JSON.parse(text));
    }),
  );
});

test("parseBody() finds a duplicate key wherever it is put", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 }), fc.jsonValue(), (object, other) => {
      const [key] = Object.keys(object);
      if (JSON.stringify({ object, other }).includes("__proto__")) return;
      const text = `${JSON.stringify(object).slice(0, -1)},${JSON.stringify(key)}:${JSON.stringify(other)}}`;
      const problem = problemOf(encoder.encode(text));
      expect(problem.code).toBe("key-duplicate");
      expect(problem.faults?.[0]?.pointer).toBe(toPointer([key ?? ""]));
    }),
  );
});
