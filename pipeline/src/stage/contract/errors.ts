import type { Ask } from "./ask.ts";
import { ask, type Context, expectProblem, type Probe } from "./context.ts";

interface Case {
  name: string;
  change: Partial<Ask>;
  status: number;
  code: string;
}

const json = { "content-type": "application/json" };

/** A request that cannot be used gets a problem with a stable code, and never a stack or a plain text. */
export function errorProbes(context: Context): Probe[] {
  const { key, predictPath, service } = context;
  const post: Ask = { method: "POST", path: predictPath, key };
  return casesOf(context).map(({ name, change, status, code }) => ({
    name: `${name} is ${status} ${code}`,
    async run() {
      expectProblem(await ask(context, { ...post, ...change }), status, code, service);
    },
  }));
}

function casesOf({ golden }: Context): Case[] {
  const sample = golden.cases[0]?.request;
  const good = typeof sample === "object" && sample !== null && !Array.isArray(sample) ? sample : {};
  const text = JSON.stringify(good);
  const [firstKey = "x"] = Object.keys(good);
  const body = (name: string, value: Ask["body"], status: number, code: string): Case => ({
    name,
    change: { headers: json, ...(value === undefined ? {} : { body: value }) },
    status,
    code,
  });
  return [
    body("an empty body", undefined, 400, "body-empty"),
    body("malformed JSON", '{"', 400, "json-malformed"),
    body("text after the JSON", `${text} x`, 400, "json-malformed"),
    body("a body that is not UTF-8", new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), 400, "utf8-invalid"),
    body("a body nested too deeply", "[".repeat(2000) + "]".repeat(2000), 400, "json-too-deep"),
    body("a key given twice", `{${JSON.stringify(firstKey)}:1,${JSON.stringify(firstKey)}:2}`, 400, "key-duplicate"),
    body("an unknown key", JSON.stringify({ ...good, surprise: 1 }), 422, "key-unknown"),
    body("a missing key", "{}", 422, "key-missing"),
    body("a value of the wrong type", JSON.stringify({ ...good, [firstKey]: { no: true } }), 422, "type-wrong"),
    body("a list instead of an object", "[]", 422, "type-wrong"),
    { name: "no content type", change: { body: text }, status: 415, code: "content-type-missing" },
    {
      name: "a wrong content type",
      change: { headers: { "content-type": "text/html" }, body: text },
      status: 415,
      code: "content-type-unsupported",
    },
    {
      name: "a compressed body",
      change: { headers: { ...json, "content-encoding": "gzip" }, body: text },
      status: 415,
      code: "encoding-unsupported",
    },
    {
      name: "an unknown model",
      change: { path: "/v1/models/no-such-model/predict", headers: json, body: text },
      status: 404,
      code: "model-unknown",
    },
    {
      name: "an unknown route",
      change: { method: "GET", path: "/v1/no-such-route" },
      status: 404,
      code: "route-unknown",
    },
  ];
}
