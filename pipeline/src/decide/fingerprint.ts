import type { Fingerprint } from "../spec/statement.ts";

/** The numbers of a golden replay in words: how far off, and on what. */
export function sayFingerprint({ cpu, onnxruntime, runtime, largestDeviation }: Fingerprint): string {
  return `largest deviation ${sayDeviation(largestDeviation)} on ${cpu}, ONNX Runtime ${onnxruntime}, ${runtime}`;
}

/** Says in words where the numbers of this machine are not those of the machine that verified the release; empty when nowhere. */
export function compareFingerprints(admitted: Fingerprint, here: Fingerprint): string[] {
  const differences: string[] = [];
  const compare = (what: string, was: string, is: string) => {
    if (is !== was) differences.push(`${what} is ${is}, was ${was}`);
  };
  compare("processor", admitted.cpu, here.cpu);
  compare("ONNX Runtime", admitted.onnxruntime, here.onnxruntime);
  compare("runtime", admitted.runtime, here.runtime);
  compare("largest deviation", sayDeviation(admitted.largestDeviation), sayDeviation(here.largestDeviation));
  return differences;
}

/** A deviation in words, `null` where it was not finite. */
export function sayDeviation(deviation: number | null): string {
  if (deviation === null) return "not finite";
  return deviation === 0 ? "0" : deviation.toExponential(1);
}
