import { Problem } from "./problem.ts";

/** Nesting that a body may have; tensors of the Open Inference Protocol need about ten. */
export const maxDepth = 32;

const decoder = new TextDecoder("utf-8", { fatal: true });

/**
 * Parses JSON bytes as strictly as a gate should: UTF-8 only, no duplicate keys, no `__proto__`, bounded nesting,
 * finite numbers. Throws a `Problem` with the pointer of the first fault.
 */
export function parseBody(bytes: Uint8Array): unknown {
  return parseText(decodeText(bytes));
}

/** The same for text, without the check of UTF-8. */
export function parseText(text: string): unknown {
  scan(text);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Problem("json-malformed", "Cannot read the body: it is not well-formed JSON", { cause });
  }
}

/** The text of UTF-8 bytes, or a `Problem`. */
export function decodeText(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new Problem("utf8-invalid", "Cannot read the body: it is not well-formed UTF-8", { cause });
  }
}

/** An open object (the keys seen so far) or array (the index of the current item). */
type Level = { keys: string[] | Set<string>; key: string } | { index: number };

/** Looks for what `JSON.parse` would let through. Malformed text is left to `JSON.parse`. */
function scan(text: string): void {
  const levels: Level[] = [];
  let keyNext = false;
  let at = 0;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === 0x22) {
      const end = endOfString(text, at);
      if (keyNext) noteKey(levels, text.slice(at + 1, end));
      keyNext = false;
      at = end + 1;
    } else if (code === 0x7b || code === 0x5b) {
      keyNext = code === 0x7b;
      levels.push(keyNext ? { keys: [], key: "" } : { index: 0 });
      if (levels.length > maxDepth) throw tooDeep(levels);
      at += 1;
    } else if (code === 0x7d || code === 0x5d) {
      levels.pop();
      keyNext = false;
      at += 1;
    } else if (code === 0x2c) {
      const level = levels.at(-1);
      if (level !== undefined && "index" in level) level.index += 1;
      else keyNext = level !== undefined;
      at += 1;
    } else if (code === 0x2d || (code >= 0x30 && code <= 0x39)) {
      at = endOfNumber(text, at, levels);
    } else {
      at += 1;
    }
  }
}

/** The index of the closing quote, or the text's length. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (end !== -1) {
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === 0x5c) slashes += 1;
    if (slashes % 2 === 0) return end;
    end = text.indexOf('"', end + 1);
  }
  return text.length;
}

/** Skips a number, and refuses one such as 1e999 that would be read as infinite. */
function endOfNumber(text: string, start: number, levels: Level[]): number {
  let end = start + 1;
  let canOverflow = false;
  for (; end < text.length; end += 1) {
    const code = text.charCodeAt(end);
    if (code === 0x65 || code === 0x45) canOverflow = true;
    else if (!((code >= 0x30 && code <= 0x39) || code === 0x2e || code === 0x2b || code === 0x2d)) break;
  }
  if ((canOverflow || end - start > 300) && Math.abs(Number(text.slice(start, end))) === Number.POSITIVE_INFINITY) {
    const faults = [{ pointer: pointerOf(levels), expected: "a number that a double can hold" }];
    throw new Problem("number-out-of-range", "Cannot use the body: a number is too large", { faults });
  }
  return end;
}

const manyKeys = 16;

function noteKey(levels: Level[], raw: string): void {
  const level = levels.at(-1);
  if (level === undefined || "index" in level) return;
  const key = raw.includes("\\") ? unescaped(raw) : raw;
  level.key = key;
  const known = level.keys instanceof Set ? level.keys.has(key) : level.keys.includes(key);
  const faults = [{ pointer: pointerOf(levels), expected: known ? "each key once" : "another key" }];
  if (known) throw new Problem("key-duplicate", `Cannot use the body: key ${quote(key)} is there twice`, { faults });
  if (key === "__proto__") throw new Problem("key-unknown", "Cannot use the body: no key may be __proto__", { faults });
  if (level.keys instanceof Set) level.keys.add(key);
  else if (level.keys.push(key) > manyKeys) level.keys = new Set(level.keys);
}

function unescaped(raw: string): string {
  try {
    return String(JSON.parse(`"${raw}"`));
  } catch {
    return raw; // malformed: JSON.parse of the whole text says so
  }
}

function tooDeep(levels: Level[]): Problem {
  const faults = [{ pointer: pointerOf(levels.slice(0, -1)), expected: `at most ${maxDepth} levels` }];
  return new Problem("json-too-deep", `Cannot use the body: it has more than ${maxDepth} levels`, { faults });
}

function pointerOf(levels: Level[]): string {
  return toPointer(levels.map((level) => ("index" in level ? level.index : level.key)));
}

/** RFC 6901. */
export function toPointer(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${String(part).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}

/** A key as a message may show it: short, quoted. */
export function quote(key: string): string {
  return JSON.stringify(key.length > 64 ? `${key.slice(0, 61)}...` : key);
}
