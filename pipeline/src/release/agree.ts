import { inspect } from "node:util";
import type { GoldenCase, Json } from "../spec/golden.ts";
import type { Manifest, Tolerance } from "../spec/manifest.ts";

/** How far two values are apart: the largest `|a - b|` over their numbers, and the first disagreement in words. */
export interface Agreement {
  largestDeviation: number;
  disagreement?: string;
}

/** A tensor as it comes from a runtime. */
export interface TensorLike {
  dims: readonly number[];
  data: ArrayLike<number | bigint | string | boolean>;
}

type GoldenTensor = NonNullable<GoldenCase["outputs"]>[string];

/** Compares one golden case with what came out: its raw outputs where it lists them, and its response. */
export function agreeCase(
  golden: GoldenCase,
  actual: { outputs?: Readonly<Record<string, TensorLike>>; response: unknown },
  tolerance: Manifest["tolerance"],
): Agreement {
  const agreements: Agreement[] = [];
  for (const [name, expected] of Object.entries(actual.outputs === undefined ? {} : (golden.outputs ?? {}))) {
    const limit = tolerance.outputs[name] ?? { absolute: 0, relative: 0 };
    agreements.push(agreeTensors(expected, actual.outputs?.[name], limit, `output ${name}`));
  }
  agreements.push(agree(golden.response, actual.response, tolerance.response));
  const { largestDeviation, disagreement } = worst(agreements);
  if (disagreement === undefined) return { largestDeviation };
  return { largestDeviation, disagreement: `golden case ${golden.name}: ${disagreement}` };
}

/** Compares JSON values: numbers within `tolerance`, everything else exactly, no key more or less. */
export function agree(expected: Json, actual: unknown, tolerance: Tolerance, path = ""): Agreement {
  if (typeof expected === "number" && typeof actual === "number")
    return agreeNumbers(expected, actual, tolerance, path);
  if (Array.isArray(expected) && Array.isArray(actual)) {
    if (expected.length !== actual.length) {
      return differs(path, `has ${actual.length} items, expected ${expected.length}`);
    }
    return worst(expected.map((value, i) => agree(value, actual[i], tolerance, `${path}[${i}]`)));
  }
  if (isObject(expected) && isObject(actual)) {
    for (const key of Object.keys(actual)) {
      if (!Object.hasOwn(expected, key)) return differs(join(path, key), `is ${show(actual[key])}, expected none`);
    }
    return worst(
      Object.entries(expected).map(([key, value]) =>
        agree(value, Object.hasOwn(actual, key) ? actual[key] : undefined, tolerance, join(path, key)),
      ),
    );
  }
  if (expected === actual) return { largestDeviation: 0 };
  return differs(path, `is ${show(actual)}, expected ${show(expected)}`);
}

/** Compares a tensor with the expected one, element by element. */
export function agreeTensors(
  expected: GoldenTensor,
  actual: TensorLike | undefined,
  tolerance: Tolerance,
  name: string,
): Agreement {
  if (actual === undefined) return differs(name, "is missing");
  if (expected.dims.join() !== actual.dims.join()) {
    return differs(name, `has shape [${actual.dims.join()}], expected [${expected.dims.join()}]`);
  }
  if (expected.data.length !== actual.data.length) {
    return differs(name, `has ${actual.data.length} elements, expected ${expected.data.length}`);
  }
  return worst(
    expected.data.map((value, i) => agreeNumbers(value, Number(actual.data[i]), tolerance, `${name}[${i}]`)),
  );
}

function agreeNumbers(expected: number, actual: number, tolerance: Tolerance, path: string): Agreement {
  const deviation = expected === actual ? 0 : Math.abs(expected - actual);
  // Written so that NaN disagrees.
  if (deviation <= tolerance.absolute + tolerance.relative * Math.abs(expected)) return { largestDeviation: deviation };
  return {
    largestDeviation: Number.isNaN(deviation) ? Number.POSITIVE_INFINITY : deviation,
    disagreement: words(path, `is ${actual}, expected ${expected}`),
  };
}

function worst(agreements: readonly Agreement[]): Agreement {
  const largestDeviation = agreements.reduce((largest, one) => Math.max(largest, one.largestDeviation), 0);
  const disagreement = agreements.find((one) => one.disagreement !== undefined)?.disagreement;
  return disagreement === undefined ? { largestDeviation } : { largestDeviation, disagreement };
}

/** A disagreement that no number measures; the deviation of what is not a number is 0. */
function differs(path: string, state: string): Agreement {
  return { largestDeviation: 0, disagreement: words(path, state) };
}

function words(path: string, state: string): string {
  return `${path === "" ? "response" : path} ${state}`;
}

function join(path: string, key: string): string {
  return path === "" ? key : `${path}.${key}`;
}

function show(value: unknown): string {
  if (value === undefined) return "missing";
  const text =
    typeof value === "string" ? JSON.stringify(value) : inspect(value, { breakLength: Number.POSITIVE_INFINITY });
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
