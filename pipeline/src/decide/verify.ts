import type { Manifest, TensorSpec } from "../spec/manifest.ts";
import type { Check } from "../spec/report.ts";
import type { Verdict } from "../spec/verdict.ts";
import type { Replay, Replayed, VerifyFacts } from "../spec/verify.ts";
import { sayDeviation } from "./fingerprint.ts";
import { worst } from "./worst.ts";

/** A model folder's verdict, with one check for its files, for what the manifest says of the model, and for the golden cases. */
export type VerifyJudgement = { verdict: Verdict; figure: string; checks: Check[] };

/** Judges what was seen of a model folder against its manifest. */
export function judgeVerify(facts: VerifyFacts, manifest: Manifest): VerifyJudgement {
  const checks: Check[] = [{ name: "files", verdict: failOn(facts.differences) }];
  if (facts.signature !== undefined) {
    checks.push({ name: `signature: ${facts.signature.figure}`, verdict: facts.signature.verdict });
  }
  if (facts.differences.length === 0) checks.push(...judgeReplay(facts.replay, manifest));
  return { verdict: worst(checks), figure: figureOf(facts), checks };
}

function judgeReplay(replay: Replay | undefined, manifest: Manifest): Check[] {
  if (replay === undefined)
    return [{ name: "golden", verdict: { kind: "error", reason: "Golden cases were not replayed" } }];
  switch (replay.kind) {
    case "lost":
      return [{ name: "golden", verdict: { kind: "error", reason: replay.reason } }];
    case "refused":
      return [{ name: "golden", verdict: failOn([replay.reason]) }];
    case "replayed":
      return [
        { name: "manifest", verdict: failOn(compareModel(replay, manifest)) },
        { name: "golden", verdict: judgeGolden(replay) },
      ];
  }
}

function judgeGolden({ cases, disagreements, largestDeviation }: Replayed): Verdict {
  if (!(cases > 0)) return { kind: "error", reason: "Cannot judge golden replay: no case was replayed" };
  if (disagreements.length === 0 && largestDeviation === null) return failOn(["a golden number is not finite"]);
  return failOn(disagreements);
}

function compareModel(replayed: Replayed, manifest: Manifest): string[] {
  const wanted = manifest.runtime.onnxruntime;
  const state = replayed.onnxruntime;
  return [
    ...(state === wanted ? [] : [`ONNX Runtime is ${state}, manifest was proven with ${wanted}`]),
    ...compareTensors("input", replayed.inputs, manifest.inputs),
    ...compareTensors("output", replayed.outputs, manifest.outputs),
  ];
}

/** Free dimensions agree whatever their names. */
function compareTensors(kind: string, actual: TensorSpec[], listed: TensorSpec[]): string[] {
  const found = new Map(actual.map((tensor) => [tensor.name, sayTensor(tensor)]));
  const breaches: string[] = [];
  for (const tensor of listed) {
    const state = found.get(tensor.name) ?? "missing";
    if (state !== sayTensor(tensor)) {
      breaches.push(`${kind} ${tensor.name} is ${state} in the model, manifest says ${sayTensor(tensor)}`);
    }
    found.delete(tensor.name);
  }
  for (const [name, state] of found)
    breaches.push(`${kind} ${name} is ${state} in the model, manifest does not list it`);
  return breaches;
}

function sayTensor({ dtype, shape }: TensorSpec): string {
  return `${dtype}[${shape.map((size) => (typeof size === "number" ? size : "free")).join(",")}]`;
}

function figureOf(facts: VerifyFacts): string {
  const { signature } = facts;
  return signature === undefined ? contentsOf(facts) : `${contentsOf(facts)}; ${signature.figure}`;
}

function contentsOf({ files, replay, differences }: VerifyFacts): string {
  if (differences.length > 0) return `${count(differences.length, "difference")} in ${count(files, "file")}`;
  if (replay?.kind !== "replayed") return `${count(files, "file")}, golden cases not replayed`;
  const { cases, largestDeviation, disagreements } = replay;
  const wrong = disagreements.length === 0 ? "" : `, ${disagreements.length} wrong`;
  return `${count(files, "file")}, ${count(cases, "golden case")}${wrong}, largest deviation ${sayDeviation(largestDeviation)}`;
}

function failOn(breaches: string[]): Verdict {
  return breaches.length === 0 ? { kind: "pass" } : { kind: "fail", breaches };
}

function count(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? "" : "s"}`;
}
