/** One element of DER: its tag byte, its content, and all its bytes. */
export type Element = { tag: number; content: Buffer; whole: Buffer };

export const tags = { boolean: 0x01, integer: 0x02, bits: 0x03, octets: 0x04, oid: 0x06, sequence: 0x30 } as const;

/** Reads the elements that `bytes` is made of; throws an Error where they are no DER. */
export function readElements(bytes: Buffer): Element[] {
  const elements: Element[] = [];
  for (let at = 0; at < bytes.length; ) {
    const element = readElement(bytes.subarray(at));
    elements.push(element);
    at += element.whole.length;
  }
  return elements;
}

/** The elements inside one element of tag `tag`; throws an Error for another. */
export function readInside(element: Element | undefined, tag: number = tags.sequence): Element[] {
  return readElements(contentOf(element, tag));
}

/** The content of an element of tag `tag`; throws an Error for another. */
export function contentOf(element: Element | undefined, tag: number): Buffer {
  if (element?.tag === tag) return element.content;
  throw new Error(`DER tag is ${element?.tag ?? "missing"}, expected ${tag}`);
}

/** An object identifier in dots. */
export function readOid(element: Element | undefined): string {
  const numbers: number[] = [];
  let number = 0;
  for (const byte of contentOf(element, tags.oid)) {
    number = number * 128 + (byte & 0x7f);
    if (byte >= 0x80) continue;
    numbers.push(number);
    number = 0;
  }
  const [first = 0, ...rest] = numbers;
  const root = Math.min(Math.floor(first / 40), 2);
  return [root, first - root * 40, ...rest].join(".");
}

/** The bytes of a bit string that has no unused bits. */
export function readBits(element: Element | undefined): Buffer {
  const content = contentOf(element, tags.bits);
  if (content[0] !== 0) throw new Error("DER bit string has unused bits");
  return content.subarray(1);
}

/** UTCTime or GeneralizedTime, in milliseconds since the epoch. */
export function readTime(element: Element | undefined): number {
  const text = element?.content.toString("latin1") ?? "";
  const full = element?.tag === 0x17 ? `${Number(text.slice(0, 2)) < 50 ? "20" : "19"}${text}` : text;
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d(?:\.\d{1,9})?)Z$/.exec(full);
  if (parts === null || (element?.tag !== 0x17 && element?.tag !== 0x18)) throw new Error(`DER time is ${text}`);
  const [, year, month, day, hour, minute, second] = parts;
  const time = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (Number.isNaN(time)) throw new Error(`DER time is ${text}`);
  return time;
}

function readElement(bytes: Buffer): Element {
  const [tag, short] = bytes;
  if (tag === undefined || short === undefined || (tag & 0x1f) === 0x1f) throw new Error("DER element is cut short");
  const extra = short < 0x80 ? 0 : short & 0x7f;
  if (short === 0x80 || extra > 4 || bytes.length < 2 + extra) throw new Error("DER length is unsupported");
  const length = extra === 0 ? short : bytes.readUIntBE(2, extra);
  const start = 2 + extra;
  if (bytes.length < start + length) throw new Error("DER element is cut short");
  return { tag, content: bytes.subarray(start, start + length), whole: bytes.subarray(0, start + length) };
}

/** One element of `parts`, with the shortest length, as DER wants it. */
export function encode(tag: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const digits = length < 0x80 ? [] : [...Buffer.from(length.toString(16).padStart(8, "0"), "hex")];
  const significant = digits.slice(digits.findIndex((digit) => digit !== 0));
  const head = length < 0x80 ? [tag, length] : [tag, 0x80 | significant.length, ...significant];
  return Buffer.concat([Buffer.from(head), content]);
}
