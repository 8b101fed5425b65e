import fc, { type Arbitrary } from "fast-check";
import { z } from "zod";
import type { Json } from "../../spec/golden.ts";
import { at } from "./openapi.ts";

const Count = z.int().nonnegative().optional();

/** The part of JSON schema that zod writes for a request. */
const Schema = z.looseObject({
  $ref: z.string().optional(),
  const: z.json().optional(),
  enum: z.array(z.json()).optional(),
  anyOf: z.array(z.unknown()).optional(),
  oneOf: z.array(z.unknown()).optional(),
  type: z.union([z.string(), z.array(z.string())]).optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
  required: z.array(z.string()).optional(),
  additionalProperties: z.unknown().optional(),
  items: z.unknown().optional(),
  prefixItems: z.array(z.unknown()).optional(),
  minItems: Count,
  maxItems: Count,
  minLength: Count,
  maxLength: Count,
  pattern: z.string().optional(),
  format: z.string().optional(),
  contentEncoding: z.string().optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  exclusiveMinimum: z.number().optional(),
  exclusiveMaximum: z.number().optional(),
});
type Schema = z.infer<typeof Schema>;

const longest = 64;

/** Values that a JSON schema allows; `root` holds what its references point to. */
export function valuesOf(schema: unknown, root: unknown): Arbitrary<Json> {
  if (schema === true || schema === undefined) return fc.jsonValue().map((value) => z.json().parse(value));
  const known = Schema.parse(schema);
  if (known.$ref !== undefined) return valuesOf(at(root, known.$ref), root);
  if (known.const !== undefined) return fc.constant(known.const);
  if (known.enum !== undefined) return fc.constantFrom(...known.enum);
  const either = known.anyOf ?? known.oneOf;
  if (either !== undefined) return fc.oneof(...either.map((one) => valuesOf(one, root)));
  const types = known.type === undefined ? [] : [known.type].flat();
  if (types.length === 0) return valuesOf(true, root);
  return fc.oneof(...types.map((type) => valuesOfType(type, known, root)));
}

function valuesOfType(type: string, schema: Schema, root: unknown): Arbitrary<Json> {
  switch (type) {
    case "null":
      return fc.constant(null);
    case "boolean":
      return fc.boolean();
    case "integer":
      return integers(schema);
    case "number":
      return numbers(schema);
    case "string":
      return strings(schema);
    case "array":
      return lists(schema, root);
    case "object":
      return objects(schema, root);
    default:
      throw new Error(`Cannot make values of type ${type}: expected a JSON type`);
  }
}

function integers({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: Schema): Arbitrary<Json> {
  const min = Math.max(minimum ?? -(2 ** 31), (exclusiveMinimum ?? Number.NEGATIVE_INFINITY) + 1);
  const max = Math.min(maximum ?? 2 ** 31 - 1, (exclusiveMaximum ?? Number.POSITIVE_INFINITY) - 1);
  return fc.integer({ min: Math.ceil(min), max: Math.floor(max) });
}

function numbers({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: Schema): Arbitrary<Json> {
  return fc.double({
    noNaN: true,
    noDefaultInfinity: true,
    min: exclusiveMinimum ?? minimum ?? -1e9,
    max: exclusiveMaximum ?? maximum ?? 1e9,
    minExcluded: exclusiveMinimum !== undefined,
    maxExcluded: exclusiveMaximum !== undefined,
  });
}

function strings({ minLength = 0, maxLength, pattern, format, contentEncoding }: Schema): Arbitrary<Json> {
  if (contentEncoding === "base64" || format === "base64" || format === "byte") {
    return fc.uint8Array({ maxLength: 512 }).map((bytes) => Buffer.from(bytes).toString("base64"));
  }
  if (format === "uuid") return fc.uuid();
  if (format === "date-time") return fc.date({ noInvalidDate: true }).map((date) => date.toISOString());
  if (format === "email") return fc.emailAddress();
  if (format === "uri") return fc.webUrl();
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern));
  const max = Math.max(minLength, Math.min(maxLength ?? longest, longest));
  return fc
    .string({ unit: "grapheme", minLength, maxLength: max })
    .filter((text) => text.length <= (maxLength ?? Infinity));
}

function lists({ prefixItems, items, minItems = 0, maxItems }: Schema, root: unknown): Arbitrary<Json> {
  if (prefixItems !== undefined) return fc.tuple(...prefixItems.map((one) => valuesOf(one, root)));
  const maxLength = Math.max(minItems, Math.min(maxItems ?? 8, minItems + 8));
  return fc.array(valuesOf(items, root), { minLength: minItems, maxLength });
}

function objects({ properties = {}, required = [], additionalProperties }: Schema, root: unknown): Arbitrary<Json> {
  const shape = Object.fromEntries(Object.entries(properties).map(([key, one]) => [key, valuesOf(one, root)]));
  if (Object.keys(shape).length === 0 && additionalProperties !== false) {
    return fc.dictionary(fc.string({ minLength: 1, maxLength: 8 }), valuesOf(additionalProperties, root), {
      maxKeys: 5,
    });
  }
  return fc.record(shape, { requiredKeys: required.filter((key) => key in shape) });
}

/** Values one change away from a good one: a key gone, a key more, or a value of another kind. */
export function nearlyGood(good: Arbitrary<Json>): Arbitrary<Json> {
  const change = fc.oneof(
    fc.constant("drop" as const),
    fc.constant("add" as const),
    fc.constantFrom<Json>(null, true, -1, 1e300, "", "\u0000", [], {}, [[]]).map((value) => ({ value })),
  );
  return fc.tuple(good, change, fc.nat()).map(([value, how, place]) => alter(value, how, place));
}

function alter(value: Json, how: "drop" | "add" | { value: Json }, place: number): Json {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return typeof how === "string" ? [value] : how.value;
  const keys = Object.keys(value);
  const key = keys[place % Math.max(1, keys.length)];
  if (how === "add") return { ...value, surprise: place };
  if (key === undefined) return typeof how === "string" ? null : how.value;
  if (how !== "drop") return { ...value, [key]: how.value };
  return Object.fromEntries(Object.entries(value).filter(([name]) => name !== key));
}
