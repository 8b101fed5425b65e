import { arrayOf, countOf, type Tensor, type TensorData, type Tensors } from "./tensor.ts";

/** Stacks the items' tensors along the batch dimension; undefined when their names, dtypes or other dimensions differ. */
export function stack(items: readonly Tensors[]): Tensors | undefined {
  const [first] = items;
  if (first === undefined || items.length === 1) return first;
  const names = Object.keys(first);
  if (items.some((item) => Object.keys(item).length !== names.length)) return undefined;
  const stacked: Tensors = {};
  for (const name of names) {
    const whole = stackOne(
      items.flatMap((item) => item[name] ?? []),
      items.length,
    );
    if (whole === undefined) return undefined;
    stacked[name] = whole;
  }
  return stacked;
}

/** Cuts the outputs of a stacked run into those of its items; undefined when an output has not one row for each. */
export function unstack(outputs: Tensors, rowsOf: readonly number[]): Tensors[] | undefined {
  if (rowsOf.length === 1) return [outputs];
  const all = rowsOf.reduce((sum, rows) => sum + rows, 0);
  const items: Tensors[] = rowsOf.map(() => ({}));
  for (const [name, { dtype, dims, data }] of Object.entries(outputs)) {
    if (dims[0] !== all) return undefined;
    const inner = dims.slice(1);
    const width = countOf(inner);
    let row = 0;
    for (const [i, rows] of rowsOf.entries()) {
      const part = data.slice(row * width, (row + rows) * width);
      Object.assign(items[i] ?? {}, { [name]: { dtype, dims: [rows, ...inner], data: part } });
      row += rows;
    }
  }
  return items;
}

/** How many rows an item's inputs have: their common first dimension, or undefined. */
export function rowsOf(tensors: Tensors): number | undefined {
  const rows = new Set(Object.values(tensors).map((tensor) => tensor.dims[0]));
  const [only] = rows;
  return rows.size === 1 ? only : undefined;
}

function stackOne(parts: readonly Tensor[], wanted: number): Tensor | undefined {
  const [first] = parts;
  if (first === undefined || parts.length !== wanted || first.dims.length === 0) return undefined;
  const inner = first.dims.slice(1);
  let rows = 0;
  for (const { dtype, dims } of parts) {
    const same = dtype === first.dtype && dims.length === first.dims.length;
    if (!same || !inner.every((size, i) => dims[i + 1] === size)) return undefined;
    rows += dims[0] ?? 0;
  }
  const dims = [rows, ...inner];
  return { dtype: first.dtype, dims, data: join(first.dtype, countOf(dims), parts) };
}

function join(dtype: Tensor["dtype"], length: number, parts: readonly Tensor[]): TensorData {
  const ArrayType = arrayOf[dtype];
  if (ArrayType === null) return parts.flatMap(({ data }) => (Array.isArray(data) ? data : []));
  const whole = new ArrayType(length);
  const bytes = new Uint8Array(whole.buffer);
  let offset = 0;
  for (const { data } of parts) {
    if (Array.isArray(data)) continue;
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), offset);
    offset += data.byteLength;
  }
  return whole;
}
