/** all-MiniLM-L6-v2: a text -> its embedding, 384 numbers of length 1. Texts are cut after 256 tokens, as its authors do. */

import { readFileSync } from "node:fs";
import { z } from "zod";
import { wordPiece } from "./wordpiece.ts";

const MAX_TOKENS = 256;
const DIMENSIONS = 384;
/** Far more than 256 tokens of any text: what is longer is a mistake of the sender. */
const MAX_CHARACTERS = 65_536;

interface Tensor {
  dtype: string;
  dims: readonly number[];
  data: unknown;
}

const tokenize = wordPiece(
  readFileSync(new URL("vocab.txt", import.meta.url), "utf8")
    .trimEnd()
    .split("\n"),
);

export const request = z.strictObject({
  input: z.string().max(MAX_CHARACTERS).describe("The text; what is after its first 254 tokens is not looked at"),
});

export const response = z.strictObject({
  embedding: z.array(z.number()).length(DIMENSIONS).describe("Of length 1: a dot product is the cosine"),
  tokens: z.int().min(2).max(MAX_TOKENS).describe("How many tokens were looked at, start and end included"),
});

/** One item: int64 `input_ids`, `attention_mask` and `token_type_ids` of [1, tokens]. */
export function encode({ input }: z.output<typeof request>) {
  const ids = tokenize(input, MAX_TOKENS);
  const tensor = (data: BigInt64Array) => ({ dtype: "int64" as const, dims: [1, ids.length], data });
  return {
    input_ids: tensor(BigInt64Array.from(ids, BigInt)),
    attention_mask: tensor(new BigInt64Array(ids.length).fill(1n)),
    token_type_ids: tensor(new BigInt64Array(ids.length)),
  };
}

/** `outputs.sentence_embedding`: float32 of [1, 384]. `outputs.last_hidden_state`: only its shape, [1, tokens, 384]. */
export function decode(outputs: Record<string, Tensor>): z.input<typeof response> {
  const embedding = outputs.sentence_embedding?.data;
  if (!(embedding instanceof Float32Array) || embedding.length !== DIMENSIONS) {
    throw new Error(`Cannot read sentence_embedding: expected ${DIMENSIONS} float32 values for one item`);
  }
  const tokens = outputs.last_hidden_state?.dims[1];
  if (tokens === undefined) throw new Error("Cannot read last_hidden_state: expected one row for each token");
  return { embedding: Array.from(embedding, shortest), tokens };
}

/** Nine digits tell every float32 from the next; as a double it would be written with seventeen. */
function shortest(value: number): number {
  return Number(value.toPrecision(9));
}
