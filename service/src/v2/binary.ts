import type { Dtype } from "../../../pipeline/src/spec/manifest.ts";
import { arrayOf, type TensorData } from "../tensor.ts";

const text = new TextDecoder("utf-8", { fatal: true });

/** Reads a tensor's bytes: little-endian numbers, or strings each with its length in four bytes. Throws a RangeError. */
export function fromBinary(dtype: Dtype, bytes: Uint8Array, count: number): TensorData {
  const ArrayType = arrayOf[dtype];
  if (ArrayType === null) return stringsOf(bytes, count);
  const size = count * ArrayType.BYTES_PER_ELEMENT;
  if (bytes.byteLength !== size) throw new RangeError(`${size} bytes for ${count} elements, found ${bytes.byteLength}`);
  const data = new ArrayType(bytes.slice().buffer); // a copy, since the bytes may start anywhere
  if (dtype === "bool" && bytes.some((byte) => byte > 1)) throw new RangeError("bytes 0 and 1 only");
  if (data instanceof Float32Array || data instanceof Float64Array) {
    if (!data.every(Number.isFinite)) throw new RangeError("finite numbers only");
  }
  return data;
}

function stringsOf(bytes: Uint8Array, count: number): string[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const strings: string[] = [];
  let at = 0;
  while (at < bytes.byteLength) {
    if (at + 4 > bytes.byteLength) throw new RangeError("four bytes of length before each string");
    const end = at + 4 + view.getUint32(at, true);
    if (end > bytes.byteLength) throw new RangeError("as many bytes as each string's length says");
    strings.push(decodeText(bytes.subarray(at + 4, end)));
    at = end;
  }
  if (strings.length !== count) throw new RangeError(`${count} strings, found ${strings.length}`);
  return strings;
}

function decodeText(bytes: Uint8Array): string {
  try {
    return text.decode(bytes);
  } catch (cause) {
    throw new RangeError("strings in UTF-8", { cause });
  }
}

/** The bytes of a tensor's data, as `fromBinary` reads them. Every machine that this runs on is little-endian. */
export function toBinary(data: TensorData): Uint8Array {
  if (!Array.isArray(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const parts = data.map((string) => new TextEncoder().encode(string));
  const whole = new Uint8Array(parts.reduce((size, part) => size + 4 + part.byteLength, 0));
  const view = new DataView(whole.buffer);
  let at = 0;
  for (const part of parts) {
    view.setUint32(at, part.byteLength, true);
    whole.set(part, at + 4);
    at += 4 + part.byteLength;
  }
  return whole;
}
