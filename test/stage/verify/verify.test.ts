import { expect, setDefaultTimeout, test } from "bun:test";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { inspectFolder } from "../../../pipeline/src/release/folder.ts";
import { Report } from "../../../pipeline/src/spec/report.ts";
import { explain } from "../../../pipeline/src/spec/verdict.ts";
import { verify } from "../../../pipeline/src/stage/verify.ts";
import { aModelCopy, edit, relock } from "../../release/model-copy.ts";
import { refusalOf } from "../../release/refusal.ts";

setDefaultTimeout(120_000); // processes, files and key pairs: slow on a machine that is busy

const models = fileURLToPath(new URL("../../../models", import.meta.url));
const tail = "export function decode(";

test.each(["magika/3.2.0", "magika/3.3.0"])("verify() passes the shipped %s", async (path) => {
  const { report, manifest, digest } = await verify(join(models, path));
  expect(report.verdict).toEqual({ kind: "pass" });
  expect(report.checks.map(({ name }) => name)).toEqual(["files", "manifest", "golden"]);
  expect(report.figure).toMatch(/^6 files, 46 golden cases, largest deviation \d/);
  expect(report.subject).toBe(path.replace("/", "@"));
  expect(digest).toBe((await inspectFolder(join(models, path))).digest);
  expect(Report.parse(report)).toEqual(report);
  expect(report.facts).toMatchObject({ digest, replay: { onnxruntime: manifest.runtime.onnxruntime } });
});

test("verify() fails on a flipped byte, names file and digests, and runs nothing of the folder", async () => {
  const dir = await aModelCopy();
  const model = await readFile(join(dir, "model.onnx"));
  model.writeUInt8(model.readUInt8(100) ^ 1, 100);
  await writeFile(join(dir, "model.onnx"), model);
  const { report } = await verify(dir);
  expect(report.verdict.kind).toBe("fail");
  expect(explain(report.verdict)).toMatch(/^model.onnx: digest is sha256:.*, manifest says sha256:/);
  expect(report.facts.replay).toBeUndefined();
});

test.each([
  [
    "swaps two labels",
    `label[0] === 0n ? "malignant" : "benign"`,
    `label[0] === 0n ? "benign" : "malignant"`,
    "label is",
  ],
  ["throws", tail, `export function decode() { throw new Error("no luck") }\nfunction unused(`, "no luck"],
  ["throws on import", tail, `throw new Error("no start");\n${tail}`, "no start"],
  ["lacks an export", tail, "function decode(", "export decode is wrong"],
  [
    "answers outside its own schema",
    "probabilities: { malignant, benign } };",
    "probabilities: { malignant, benign: 7 } };",
    "benign",
  ],
  ["encodes another shape", "dims: [1, FEATURES]", "dims: [FEATURES, 1]", "golden case"],
  ["encodes no tensor", "return { features: {", "return { features: 7 } as never; return { features: {", "expected"],
  ["has a syntax error", tail, `}{${tail}`, "Cannot import"],
])("verify() fails a transformer that %s", async (_, from, to, words) => {
  const dir = await aModelCopy();
  await edit(dir, "transformer.ts", from, to);
  await relock(dir);
  const { report } = await verify(dir);
  expect(report.verdict.kind).toBe("fail");
  expect(explain(report.verdict)).toContain(words);
});

test.each([
  ["never ends", "for (;;) {}", 500, "was not done in 500 ms"],
  ["never answers", "await new Promise(() => setInterval(() => {}, 1e6));", 500, "was not done in 500 ms"],
  ["ends its process", "process.exit(0);", 60_000, "ended with"],
  ["kills its process", 'process.kill(process.pid, "SIGKILL");', 60_000, "ended with SIGKILL"],
] as const)("verify() survives a transformer that %s", async (_, statement, timeoutMs, words) => {
  const dir = await aModelCopy();
  await edit(dir, "transformer.ts", tail, `${statement}\n${tail}`);
  await relock(dir);
  const { report } = await verify(dir, { timeoutMs });
  expect(report.verdict.kind).toBe("error");
  expect(explain(report.verdict)).toContain(words);
});

test("verify() gives the release no secret of this process", async () => {
  const dir = await aModelCopy();
  process.env.SLUICE_TEST_SECRET = "hunter2";
  await edit(dir, "transformer.ts", tail, `throw new Error("saw " + JSON.stringify(process.env));\n${tail}`);
  await relock(dir);
  const { report } = await verify(dir);
  expect(explain(report.verdict)).toContain("saw {");
  expect(explain(report.verdict)).not.toContain("hunter2");
});

test("verify() fails a manifest that says another shape than ONNX Runtime", async () => {
  const dir = await aModelCopy();
  const inputs = [{ name: "features", dtype: "float32" as const, shape: ["n", 31] }];
  await relock(dir, { inputs });
  expect(explain((await verify(dir)).report.verdict)).toBe(
    "input features is float32[free,30] in the model, manifest says float32[free,31]",
  );
});

test("verify() fails a model that ONNX Runtime cannot load", async () => {
  const dir = await aModelCopy();
  await writeFile(join(dir, "model.onnx"), "no model");
  await relock(dir);
  expect(explain((await verify(dir)).report.verdict)).toContain("Cannot load model.onnx");
});

test("verify() throws E_FILE on a manifest or golden file that is none", async () => {
  const dir = await aModelCopy();
  await writeFile(join(dir, "golden.json"), "{}");
  await relock(dir);
  const golden = await refusalOf(verify(dir));
  expect(golden).toMatchObject({ code: "E_FILE", message: expect.stringContaining("golden.json") });
  await rm(join(dir, "manifest.json"));
  expect(await refusalOf(verify(dir))).toMatchObject({
    code: "E_FILE",
    message: expect.stringContaining("manifest.json"),
  });
});
