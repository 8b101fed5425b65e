import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { wordPiece } from "../../scripts/models/minilm/wordpiece.ts";
import fixture from "../fixtures/minilm/tokens.json" with { type: "json" };
import { isMade } from "../support/external.ts";

const vocabulary = fileURLToPath(new URL("../../models/minilm/1.0.0/vocab.txt", import.meta.url));
const isThere = isMade(vocabulary);
const tokenize = isThere ? wordPiece(readFileSync(vocabulary, "utf8").trimEnd().split("\n")) : () => [];
const maxTokens = 256;

// The vocabulary is not committed: `npm run models -- minilm` lays it down.
describe.skipIf(!isThere)("MiniLM's tokens", () => {
  test(`are Python's on ${fixture.texts.length} texts: emoji, CJK, combining marks, many scripts, empty and long`, () => {
    const ids = fixture.texts.map(([text]) => [text, tokenize(String(text), maxTokens)]);
    expect(ids).toEqual(fixture.texts);
  });

  test("are Python's for every code point, in a word and alone", () => {
    const blocks = fixture.blocks.map((_, index) => digestOfBlock(index * fixture.blockSize));
    expect(blocks).toEqual(fixture.blocks);
  }, 60_000);

  test.each([
    ["words whose last character is unknown", `${"q".repeat(99)}ꟁ `],
    ["words of unlikely pieces", `${"q".repeat(100)} `],
    ["one word", "a"],
    ["signs", "!"],
    ["nothing but marks", "\u0301"],
  ])("take no longer than the text deserves on 64 Ki characters of %s", (_, part) => {
    const text = part.repeat(Math.ceil(65_536 / part.length));
    for (let i = 0; i < 10; i++) expect(tokenize(text, maxTokens).length).toBeLessThanOrEqual(maxTokens);
  });
});

function digestOfBlock(first: number): string {
  let lines = "";
  for (let code = first; code < first + fixture.blockSize; code++) {
    if (code >= 0xd800 && code < 0xe000) continue;
    const character = String.fromCodePoint(code);
    lines += `${tokenize(`a${character}b ${character}`, maxTokens).join()}\n`;
  }
  return new Bun.CryptoHasher("sha256").update(lines).digest("hex");
}
