import { expect, setDefaultTimeout, test } from "bun:test";
import { symlink } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { Golden } from "../../pipeline/src/spec/golden.ts";
import { readJson } from "../../pipeline/src/spec/read.ts";
import { verify } from "../../pipeline/src/stage/verify.ts";
import { type BadKind, badReleases, makeBadRelease } from "../fixtures/models/bad.ts";
import { temporaryFolder } from "../support/folder.ts";
import { openModel, predict } from "./replay.ts";

setDefaultTimeout(60_000);

const root = join(import.meta.dir, "../..");
const Answer = z.looseObject({ label: z.string(), group: z.string() });

/** A models folder with the bad release in it, beside the packages that its transformer imports. */
async function aBadRelease(kind: BadKind) {
  const home = await temporaryFolder();
  await symlink(join(root, "node_modules"), join(home.path, "node_modules"));
  const [name, version] = (await makeBadRelease(kind, join(home.path, "models"))).split("@");
  return { ...home, dir: join(home.path, "models", name ?? "", version ?? "") };
}

/** Sends what synthetic traffic sends, the golden inputs of the stable release, one after the other. */
async function meetTraffic(dir: string) {
  const model = await openModel(dir);
  const { cases } = await readJson(join(root, "models/magika/3.2.0/golden.json"), Golden);
  const calls = [];
  for (const { name, request } of cases) {
    const start = performance.now();
    const answer = await predict(model, [request]).then(
      ([prediction]) => Answer.parse(prediction?.response),
      () => undefined,
    );
    calls.push({ name, answer, elapsedMs: performance.now() - start });
  }
  await model.session.release();
  return calls;
}

test.each(badReleases.map(({ kind, exit }) => [kind, exit] as const))(
  "verify() of %s lets through only what the canary is to find",
  async (kind, exit) => {
    await using bad = await aBadRelease(kind);
    const { report } = await verify(bad.dir);
    expect(report.verdict.kind).toBe(exit === 3 ? "fail" : "pass");
  },
);

test("verify() of corrupt names the file and both digests", async () => {
  await using bad = await aBadRelease("corrupt");
  const { report, manifest } = await verify(bad.dir);
  const listed = manifest.files.find(({ path }) => path === manifest.model)?.digest;
  const words = new RegExp(`^model.onnx: digest is sha256:[0-9a-f]{64}, manifest says ${listed}$`);
  expect(report.verdict).toEqual({ kind: "fail", breaches: [expect.stringMatching(words)] });
});

test("throws fails on one of ten calls of the traffic", async () => {
  await using bad = await aBadRelease("throws");
  const calls = await meetTraffic(bad.dir);
  const failed = calls.filter(({ answer }) => answer === undefined).length;
  expect(failed).toBe(Math.floor(calls.length / 10));
});

test("slow answers the traffic rightly, and blocks on one of three calls", async () => {
  await using bad = await aBadRelease("slow");
  const calls = await meetTraffic(bad.dir);
  expect(calls.filter(({ answer }) => answer === undefined)).toBeEmpty();
  expect(calls.filter(({ elapsedMs }) => elapsedMs >= 60).length).toBeGreaterThanOrEqual(Math.floor(calls.length / 3));
});

test("mislabels answers every call of the traffic, markup as text", async () => {
  await using bad = await aBadRelease("mislabels");
  const labels = new Map((await meetTraffic(bad.dir)).map(({ name, answer }) => [name, answer?.label]));
  expect(["html", "css", "xml", "svg", "pdf", "rust"].map((name) => labels.get(name))).toEqual([
    "txt",
    "txt",
    "txt",
    "txt",
    "pdf",
    "rust",
  ]);
});
