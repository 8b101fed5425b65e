/**
 * BERT's tokenizer (uncased), as Hugging Face's `tokenizers` has it: text -> ids of the vocabulary, special ones included.
 *
 * What is a mark, a space or a sign is data that was asked of that package (`characters.json`), not of the runtime, whose
 * Unicode is another. A text is read no further than its ids are needed, and no word is looked at longer than a token can be:
 * the work is bounded whatever the text.
 */

import characters from "./characters.json" with { type: "json" };

const SPECIAL = /(\[(?:PAD|UNK|CLS|SEP|MASK)\])/;
const CONTINUATION = "##";
const MAX_WORD_CHARACTERS = 100;

const LETTER = 0;
const DROPPED = 1;
const SPACE = 2;
const ALONE = 3;

const kinds = new Uint8Array(0x110000);
mark("d800-dfff", DROPPED); // no UTF-8 text has them
mark(characters.dropped, DROPPED);
mark(characters.space, SPACE);
mark(characters.alone, ALONE);

function mark(ranges: string, kind: number): void {
  for (const range of ranges.split(" ")) {
    const [first = 0, last = first] = range.split("-").map((code) => Number.parseInt(code, 16));
    kinds.fill(kind, first, last + 1);
  }
}

export type Tokenizer = (text: string, maxTokens: number) => number[];

/** A tokenizer over a vocabulary: its tokens in the order of their ids. It cuts a text after `maxTokens`, ends included. */
export function wordPiece(vocabulary: readonly string[]): Tokenizer {
  const ids = new Map(vocabulary.map((token, id) => [token, id]));
  const idOf = (token: string): number => {
    const id = ids.get(token);
    if (id === undefined) throw new Error(`Cannot use the vocabulary: it has no ${token}`);
    return id;
  };
  const [start, end, unknown] = [idOf("[CLS]"), idOf("[SEP]"), idOf("[UNK]")];
  const longest = vocabulary.reduce((length, token) => Math.max(length, token.length), 0);

  function* tokens(text: string): Generator<number> {
    for (const part of text.split(SPECIAL)) {
      if (SPECIAL.test(part)) yield idOf(part);
      else for (const word of words(part)) yield* pieces(word) ?? [unknown];
    }
  }

  /** The longest pieces of the vocabulary, from the left; undefined where the word cannot be made of them. */
  function pieces(word: string): number[] | undefined {
    if (isTooLong(word)) return undefined;
    const found: number[] = [];
    for (let at = 0; at < word.length; ) {
      const prefix = at === 0 ? "" : CONTINUATION;
      let stop = Math.min(word.length, at + longest);
      let id = ids.get(prefix + word.slice(at, stop));
      while (id === undefined && --stop > at) id = ids.get(prefix + word.slice(at, stop));
      if (id === undefined) return undefined;
      found.push(id);
      at = stop;
    }
    return found;
  }

  return (text, maxTokens) => {
    const found = [start];
    for (const token of tokens(text)) {
      if (found.length === maxTokens - 1) break;
      found.push(token);
    }
    return [...found, end];
  };
}

/** Words in lower case without accents; a sign or a CJK character is a word of its own. */
function* words(text: string): Generator<string> {
  let word = "";
  for (const character of text.normalize("NFD")) {
    const kind = kinds[character.codePointAt(0) ?? 0];
    if (kind === DROPPED) continue;
    if (kind === LETTER) {
      word += character.toLowerCase(); // alone: in a word JavaScript gives a final sigma its other form
      continue;
    }
    if (word !== "") yield word;
    word = "";
    if (kind === ALONE) yield character;
  }
  if (word !== "") yield word;
}

/** Counted in characters, of which one may take two places of a string. */
function isTooLong(word: string): boolean {
  if (word.length <= MAX_WORD_CHARACTERS) return false;
  return word.length > 2 * MAX_WORD_CHARACTERS || Array.from(word).length > MAX_WORD_CHARACTERS;
}
