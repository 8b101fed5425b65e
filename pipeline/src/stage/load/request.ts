import type { ConsumerExamples } from "../../spec/consumers.ts";
import type { Golden } from "../../spec/golden.ts";

/** One request that the driver repeats: `path` starts with a slash. */
export interface LoadRequest {
  path: string;
  contentType: string;
  body: string | Uint8Array<ArrayBuffer>;
}

/** The golden inputs of `model` as predict requests in JSON. */
export function goldenRequests(model: string, golden: Golden): LoadRequest[] {
  return golden.cases.map((one) => ({
    path: `/v1/models/${model}/predict`,
    contentType: "application/json",
    body: JSON.stringify(one.request),
  }));
}

/** What consumers recorded of the model and got an answer to, as requests. */
export function recordedRequests(model: string, recorded: readonly ConsumerExamples[]): LoadRequest[] {
  const path = `/v1/models/${model}/predict`;
  return recorded
    .flatMap(({ examples }) => examples)
    .filter((one) => one.method === "POST" && one.path === path && one.status === 200 && one.body !== undefined)
    .map(({ body }) => ({ path, contentType: "application/json", body: JSON.stringify(body) }));
}
