/**
 * Whether an SPDX expression can be met with licences of `allow` alone: one side of an OR, both of an AND.
 * A `WITH` exception must itself be listed (`Apache-2.0 WITH LLVM-exception`). Case does not matter.
 */
export function isAllowed(expression: string, allow: readonly string[]): boolean {
  const known = new Set(allow.map((name) => name.toLowerCase()));
  if (known.has(expression.trim().toLowerCase())) return true;
  const tokens = expression.match(/[()]|[^\s()]+/g) ?? [];
  const reader = { tokens, at: 0, known, broken: false };
  const allowed = readOr(reader);
  return allowed && !reader.broken && reader.at === tokens.length;
}

type Reader = { tokens: string[]; at: number; known: ReadonlySet<string>; broken: boolean };

function readOr(reader: Reader): boolean {
  let allowed = readAnd(reader);
  while (take(reader, "or")) allowed = readAnd(reader) || allowed;
  return allowed;
}

function readAnd(reader: Reader): boolean {
  let allowed = readName(reader);
  while (take(reader, "and")) allowed = readName(reader) && allowed;
  return allowed;
}

function readName(reader: Reader): boolean {
  if (take(reader, "(")) {
    const allowed = readOr(reader);
    return take(reader, ")") && allowed;
  }
  const name = reader.tokens[reader.at]?.toLowerCase();
  if (name === undefined) {
    reader.broken = true;
    return false;
  }
  reader.at += 1;
  if (!take(reader, "with")) return reader.known.has(name);
  const exception = reader.tokens[reader.at]?.toLowerCase();
  reader.at += 1;
  return reader.known.has(`${name} with ${exception}`);
}

function take(reader: Reader, word: string): boolean {
  if (reader.tokens[reader.at]?.toLowerCase() !== word) return false;
  reader.at += 1;
  return true;
}
