/**
 * Magika's pre- and post-processing, as in Google's Python package of the same release.
 *
 * The model looks at the first and the last 4,096 bytes only, without the whitespace around the content. A larger file may
 * therefore be sent as its first and last 4,096 bytes joined: the answer is the same.
 */

import { z } from "zod";
import config from "./config.json" with { type: "json" };

/** Largest content accepted, in bytes before base64. */
const MAX_CONTENT_BYTES = 1024 * 1024;

interface Tensor {
  dtype: string;
  dims: readonly number[];
  data: unknown;
}

interface ContentType {
  mimeType: string;
  group: string;
  description: string;
  isText: boolean;
}

const types = new Map<string, ContentType>(Object.entries(config.types));
const thresholds = new Map(Object.entries(config.thresholds));
const overwrites = new Map(Object.entries(config.overwrites));

const Content = z
  .instanceof(Uint8Array)
  .refine(
    (bytes) => bytes.length <= MAX_CONTENT_BYTES,
    `Too big: expected content to have <=${MAX_CONTENT_BYTES} bytes`,
  );

const Base64 = z.base64().max(4 * Math.ceil(MAX_CONTENT_BYTES / 3));

/** `{ content }`: the file's bytes, 0 to 1,048,576 of them, as base64 with padding. */
export const request = z.strictObject({
  content: z
    .codec(Base64, Content, { decode: z.util.base64ToUint8Array, encode: z.util.uint8ArrayToBase64 })
    .describe(`The file's bytes as base64, at most ${MAX_CONTENT_BYTES} before encoding`),
});

export const response = z.strictObject({
  label: z.enum([...types.keys()]).describe("The file's type"),
  score: z.number().min(0).max(1).describe("The model's confidence in modelLabel; 1 where the model was not asked"),
  mimeType: z.string(),
  group: z.string().describe("Kind of type, such as code, document or image"),
  description: z.string(),
  isText: z.boolean(),
  modelLabel: z
    .enum([...config.labels, "undefined"])
    .describe("What the model said before confidence was weighed; undefined where the model was not asked"),
});

/** The request for a file that arrives as raw bytes. Throws a ZodError when it is too big. */
export function fromBytes(bytes: Uint8Array<ArrayBuffer>): z.output<typeof request> {
  return { content: Content.parse(bytes) };
}

/** One item: int32 `bytes` of [1, 2048], head on the left, tail on the right, padding between. */
export function encode({ content }: z.output<typeof request>) {
  const head = usefulHead(content).subarray(0, config.headBytes);
  const tail = trimEnd(content.subarray(-config.blockBytes)).subarray(-config.tailBytes);
  const data = new Int32Array(config.headBytes + config.tailBytes).fill(config.padding);
  data.set(head, 0);
  data.set(tail, data.length - tail.length);
  return { bytes: { dtype: "int32" as const, dims: [1, data.length], data } };
}

/** `outputs.target_label`: float32 of [1, 214], a probability for each of the model's labels. */
export function decode(
  outputs: Record<string, Tensor>,
  { content }: z.output<typeof request>,
): z.input<typeof response> {
  const known = labelWithoutModel(content);
  if (known !== undefined) return answer(known, 1, "undefined");
  const scores = outputs.target_label?.data;
  if (!(scores instanceof Float32Array) || scores.length !== config.labels.length) {
    throw new Error(`Cannot read target_label: expected ${config.labels.length} float32 values for one item`);
  }
  const score = Math.max(...scores);
  const modelLabel = config.labels[scores.indexOf(score)] ?? "undefined";
  return answer(confident(modelLabel, score), score, modelLabel);
}

function answer(label: string, score: number, modelLabel: string): z.input<typeof response> {
  const type = types.get(label);
  if (type === undefined) throw new Error(`Cannot describe label ${label}: config.json does not have it`);
  return { label, score, ...type, modelLabel };
}

/** The label to give when there are too few bytes for the model; undefined when it is to be asked. */
function labelWithoutModel(content: Uint8Array): string | undefined {
  if (content.length === 0) return "empty";
  const enough = content.length >= config.minContentBytes && usefulHead(content).length >= config.minUsefulBytes;
  if (enough) return undefined;
  return isUtf8(content.subarray(0, config.blockBytes)) ? "txt" : "unknown";
}

/** The model's label where its score is high enough, otherwise text or unknown. */
function confident(modelLabel: string, score: number): string {
  const label = overwrites.get(modelLabel) ?? modelLabel;
  if (score >= (thresholds.get(modelLabel) ?? config.threshold)) return label;
  return types.get(label)?.isText ? "txt" : "unknown";
}

function usefulHead(content: Uint8Array): Uint8Array {
  const block = content.subarray(0, config.blockBytes);
  const start = block.findIndex((byte) => !isSpace(byte));
  return start === -1 ? block.subarray(block.length) : block.subarray(start);
}

function trimEnd(block: Uint8Array): Uint8Array {
  return block.subarray(0, block.findLastIndex((byte) => !isSpace(byte)) + 1);
}

/** Whitespace as Python's bytes.strip() sees it: tab, line feed, vertical tab, form feed, carriage return, space. */
function isSpace(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}
