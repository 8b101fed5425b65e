import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { ConsumerExamples, ConsumerPolicy } from "../../../pipeline/src/spec/consumers.ts";
import { readJson, readYaml } from "../../../pipeline/src/spec/read.ts";
import { compatibility } from "../../../pipeline/src/stage/contract/compatibility.ts";
import { consumerProbes } from "../../../pipeline/src/stage/contract/consumers.ts";
import { runProbe } from "../../../pipeline/src/stage/contract/context.ts";
import { contract } from "../../../pipeline/src/stage/contract/contract.ts";
import { aCandidate, type Candidate, contextOf, openapiOf, saying } from "../../support/candidate.ts";
import { isInstalled } from "../../support/external.ts";

const root = join(import.meta.dir, "../../..");
const consumers = (await readYaml(join(root, "policies/consumers.yaml"), ConsumerPolicy)).models.magika ?? [];
const examples = await readJson(join(root, "policies/consumers/upload-scanner.json"), ConsumerExamples);

let stable: Candidate;
let candidate: Candidate;
beforeAll(async () => {
  stable = await aCandidate(join(root, "models/magika/3.2.0"));
  candidate = await aCandidate(join(root, "models/magika/3.3.0"), { like: stable });
}, 60_000);
afterAll(async () => {
  await stable.stop();
  await candidate.stop();
});

/** Compares the candidate, its description changed, with stable. */
async function compare(change: (text: string) => string, { program = "oasdiff", required = true } = {}) {
  const changed = change(await openapiOf(candidate));
  const checks = await compatibility(
    { openapi: await openapiOf(stable), manifest: stable.manifest },
    { openapi: changed, manifest: candidate.manifest },
    { required, rule: "major", consumers, program },
  );
  const of = (words: string) => checks.find((check) => check.name.includes(words))?.verdict;
  return { api: of("the API"), tensors: of("the tensors") };
}

describe.skipIf(!isInstalled("oasdiff"))("compatibility() with oasdiff", () => {
  test("passes magika 3.3.0 after 3.2.0", async () => {
    expect(await compare((text) => text)).toEqual({ api: { kind: "pass" }, tensors: { kind: "pass" } });
  });

  test.each([
    ["a response field that was renamed", (text: string) => text.replaceAll('"mimeType"', '"mime"'), "mimeType"],
    [
      "a request that asks for more than before",
      (text: string) =>
        text
          .replaceAll('"properties":{"content":', '"properties":{"name":{"type":"string"},"content":')
          .replaceAll('"required":["content"]', '"required":["content","name"]'),
      "name",
    ],
    ["a route that is gone", (text: string) => text.replaceAll("/v1/models/magika/predict", "/v1/ask"), "removed"],
  ] as const)("fails %s, and names who relies on it", async (_, change, words) => {
    const { api } = await compare(change);
    expect(api?.kind).toBe("fail");
    expect(JSON.stringify(api)).toContain(words);
    expect(JSON.stringify(api)).toContain("relied on by upload-scanner (uploads team)");
  });

  test("is a part of contract()", async () => {
    const { url, manifest } = stable;
    const { verdict, checks } = await contract({
      ...candidate,
      otherKeys: [],
      subject: "magika@3.3.0",
      stable: { url, manifest, required: true, rule: "refuse", consumers },
      examples: [examples],
    });
    expect(verdict).toEqual({ kind: "pass" });
    const names = checks.map((check) => check.name);
    expect(names).toContain("the API breaks no client of stable");
    expect(names).toContain("consumer upload-scanner: a pdf is a document");
  }, 60_000);
});

test("compatibility() is an error when oasdiff is missing, unless it need not be there", async () => {
  const program = "oasdiff-that-does-not-exist";
  const { api, tensors } = await compare((text) => text, { program });
  expect(api).toMatchObject({ kind: "error", reason: expect.stringContaining("is not on the PATH") });
  expect(tensors).toEqual({ kind: "pass" });
  expect((await compare((text) => text, { program, required: false })).api).toBeUndefined();
});

test.each([
  ["the candidate as it is", (text: string) => text, "pass"],
  ["an answer that a consumer does not expect", (text: string) => text.replace('"document"', '"paper"'), "fail"],
] as const)("consumerProbes() on %s", async (_, change, kind) => {
  const context = await contextOf(candidate, saying(change));
  const [pdf] = consumerProbes(context, [examples]);
  if (pdf === undefined) throw new Error("Cannot test: policy has no example");
  const check = await runProbe(pdf);
  expect(check.name).toBe("consumer upload-scanner: a pdf is a document");
  expect(check.verdict.kind).toBe(kind);
});
