/**
 * BERT's tokenizer (uncased), as Hugging Face's `tokenizers` has it: text -> ids of the vocabulary, special ones included.
 * The same ids for all but 658 of Unicode's code points: marks and signs that are younger than its tables.
 */

const SPECIAL = /(\[PAD\]|\[UNK\]|\[CLS\]|\[SEP\]|\[MASK\])/;
const MAX_WORD_CHARACTERS = 100;
const CONTROL = /[\0\uFFFD\p{Cc}\p{Cf}\p{Co}\p{Cs}]/u;
const KEPT = /[\t\n\r]/;
const SPACE = /\p{White_Space}/u;
const CJK =
  /[\u4E00-\u9FFF\u3400-\u4DBF\u{20000}-\u{2A6DF}\u{2A700}-\u{2B73F}\u{2B740}-\u{2B81F}\u{2B920}-\u{2CEAF}\uF900-\uFAFF\u{2F800}-\u{2FA1F}]/gu;
const PUNCTUATION = /([!-/:-@[-`{-~]|\p{P})/u;

export type Tokenizer = (text: string, maxTokens: number) => number[];

/** A tokenizer over a vocabulary: its tokens in the order of their ids. */
export function wordPiece(vocabulary: readonly string[]): Tokenizer {
  const ids = new Map(vocabulary.map((token, id) => [token, id]));
  const idOf = (token: string): number => {
    const id = ids.get(token);
    if (id === undefined) throw new Error(`Cannot use the vocabulary: it has no ${token}`);
    return id;
  };
  const [start, end, unknown] = [idOf("[CLS]"), idOf("[SEP]"), idOf("[UNK]")];
  return (text, maxTokens) => {
    const tokens = text.split(SPECIAL).flatMap((part) => {
      if (SPECIAL.test(part)) return [idOf(part)];
      return words(normalise(part)).flatMap((word) => pieces(word, ids) ?? [unknown]);
    });
    return [start, ...tokens.slice(0, maxTokens - 2), end];
  };
}

function normalise(text: string): string {
  let cleaned = "";
  for (const character of text) {
    if (CONTROL.test(character) && !KEPT.test(character)) continue;
    cleaned += SPACE.test(character) ? " " : character;
  }
  const bare = cleaned
    .replaceAll(CJK, " $& ")
    .normalize("NFD")
    .replaceAll(/\p{Mn}/gu, "");
  // A letter at a time: in a whole word JavaScript would give a final sigma its other form.
  return Array.from(bare, (character) => character.toLowerCase()).join("");
}

function words(text: string): string[] {
  return text
    .split(/\p{White_Space}+/u)
    .flatMap((part) => part.split(PUNCTUATION))
    .filter((word) => word !== "");
}

/** The longest pieces of the vocabulary, from the left; undefined where the word cannot be made of them. */
function pieces(word: string, ids: ReadonlyMap<string, number>): number[] | undefined {
  const characters = Array.from(word);
  if (characters.length > MAX_WORD_CHARACTERS) return undefined;
  const found: number[] = [];
  for (let at = 0; at < characters.length; ) {
    const piece = longestPiece(characters, at, ids);
    if (piece === undefined) return undefined;
    found.push(piece.id);
    at = piece.end;
  }
  return found;
}

function longestPiece(characters: readonly string[], at: number, ids: ReadonlyMap<string, number>) {
  const prefix = at === 0 ? "" : "##";
  for (let end = characters.length; end > at; end--) {
    const id = ids.get(prefix + characters.slice(at, end).join(""));
    if (id !== undefined) return { id, end };
  }
  return undefined;
}
