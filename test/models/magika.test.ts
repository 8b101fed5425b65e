import { afterAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { z } from "zod";
import { openModel, predict } from "./replay.ts";

const root = join(import.meta.dir, "../../models/magika");
const Answer = z.looseObject({ label: z.string(), score: z.number() });

const models = await Promise.all(
  ["3.2.0", "3.3.0"].map(async (version) => [version, await openModel(join(root, version))] as const),
);

describe.each(models)("magika@%s", (version, model) => {
  const { transformer, session } = model;
  afterAll(() => session.release());

  async function identify(bytes: Uint8Array) {
    const [prediction] = await predict(model, [{ content: Buffer.from(bytes).toString("base64") }]);
    return Answer.parse(prediction?.response);
  }

  test("request takes content of exactly the limit and refuses a byte more", () => {
    const content = (size: number) => ({ content: Buffer.alloc(size).toString("base64") });
    expect(transformer.request.safeParse(content(1024 * 1024)).success).toBe(true);
    expect(transformer.request.safeParse(content(1024 * 1024 + 1)).success).toBe(false);
  });

  test.each(["a", "aGk", "aGk=\n", "aG k=", "aGk-", 7, null])("request refuses content %p", (content) => {
    expect(transformer.request.safeParse({ content }).success).toBe(false);
  });

  test("fromBytes() gives what the request gives for the same bytes", () => {
    const bytes = new TextEncoder().encode("name,weight\nstable,95\n");
    const parsed = transformer.request.parse({ content: Buffer.from(bytes).toString("base64") });
    expect(transformer.fromBytes?.(bytes)).toEqual(parsed);
  });

  test("fromBytes() refuses a byte more than the limit", () => {
    expect(() => transformer.fromBytes?.(new Uint8Array(1024 * 1024 + 1))).toThrow("Too big");
  });

  test("a file and its first and last 4,096 bytes joined get the same answer", async () => {
    const lines = Array.from({ length: 2000 }, (_, n) => `${n},canary-${n % 7},${(n * 37) % 101}\n`);
    const whole = Buffer.from(lines.join(""));
    const joined = Buffer.concat([whole.subarray(0, 4096), whole.subarray(-4096)]);
    expect(await identify(joined)).toEqual(await identify(whole));
  });

  test("content of eight bytes is asked of the model from 3.3.0 on", async () => {
    const { label } = await identify(Buffer.from('{"a": 1}'));
    expect(label).toBe(version === "3.2.0" ? "txt" : "json");
  });

  test("few bytes cut inside a character are not text", async () => {
    expect(await identify(Buffer.from("é").subarray(0, 1))).toMatchObject({ label: "unknown", score: 1 });
  });

  test.each([
    ["no output", {}],
    ["too few labels", { target_label: { dims: [1, 3], data: new Float32Array(3) } }],
    ["another type", { target_label: { dims: [1, 214], data: new Int32Array(214) } }],
  ])("decode() refuses %s", (_, outputs) => {
    const value = { content: new TextEncoder().encode("enough bytes for the model") };
    expect(() => transformer.decode(outputs, value)).toThrow("Cannot read target_label");
  });

  test("decode() of scores that are no numbers gives nothing that the response schema takes", () => {
    const value = { content: new TextEncoder().encode("enough bytes for the model") };
    const outputs = { target_label: { dims: [1, 214], data: new Float32Array(214).fill(Number.NaN) } };
    expect(transformer.response.safeParse(transformer.decode(outputs, value)).success).toBe(false);
  });
});
