import { expect, test } from "bun:test";
import { wordPiece } from "../../scripts/models/minilm/wordpiece.ts";

const vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "re", "##lea", "##se", "!", "a", "天", "σ", "##σ"];
const tokenize = wordPiece(vocabulary);

test.each([
  ["nothing", "", ""],
  ["pieces, the longest first", "release", "re ##lea ##se"],
  ["capitals, accents and combining marks", "RÉLÈASE re\u0301", "re ##lea ##se re"],
  ["punctuation, each by itself", "re!!a", "re ! ! a"],
  ["CJK, each by itself", "a天天a", "a 天 天 a"],
  ["every kind of space", "\u3000re\t\na\u00a0", "re a"],
  ["control and zero-width characters", "r\0e\u200b\ufffd", "re"],
  ["a final sigma", "ΣΣ σς", "σ ##σ [UNK]"],
  ["what is not in the vocabulary", "🚀 relx a", "[UNK] [UNK] a"],
  ["a word of more than 100 characters", "re".repeat(51), "[UNK]"],
  ["special tokens, as written only", "[MASK]a[cls]", "[MASK] a [UNK] [UNK] [UNK]"],
])("wordPiece() of %s", (_, text, tokens) => {
  const names = tokenize(text, 100).map((id) => vocabulary[id]);
  expect(names.join(" ")).toBe(["[CLS]", tokens, "[SEP]"].filter((token) => token !== "").join(" "));
});

test("wordPiece() cuts a long text and keeps its end mark", () => {
  expect(tokenize("a ".repeat(1_000), 5)).toEqual([2, 9, 9, 9, 3]);
});

test("wordPiece() refuses a vocabulary without the special tokens", () => {
  expect(() => wordPiece(["a"])).toThrow("[CLS]");
});
