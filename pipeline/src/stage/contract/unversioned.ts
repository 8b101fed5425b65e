import { Json } from "../../spec/golden.ts";
import { parseJson } from "../../spec/read.ts";

/**
 * A description without what names the model's version by design: the version's own routes, and the version in answers.
 * Two releases are compared in what is left.
 */
export function unversioned(openapi: string, version: string): string {
  return JSON.stringify(strip(parseJson(openapi, Json, "the description"), version));
}

function strip(node: Json, version: string): Json {
  if (Array.isArray(node)) return node.map((one) => strip(one, version));
  if (typeof node !== "object" || node === null) return node;
  if (node.const === version) return { type: "string" };
  const kept = Object.entries(node).filter(([key]) => !key.includes(`/versions/${version}`));
  return Object.fromEntries(kept.map(([key, value]) => [key, strip(value, version)]));
}
