import { quote, toPointer } from "./json.ts";
import { type Fault, Problem, type ProblemCode } from "./problem.ts";

/** What of a zod issue is looked at: structural, for a transformer brings a zod of its own. */
export type Issue = {
  code?: string;
  message: string;
  path: PropertyKey[];
  input?: unknown;
  keys?: string[];
  origin?: string;
  format?: string;
};

const shown = 10;

/** Turns what a schema found into one problem: the first issue names it, up to ten are listed. */
export function problemOfIssues(issues: Issue[]): Problem {
  const faults = issues.slice(0, shown).flatMap(faultsOf).slice(0, shown);
  const first = issues[0];
  const code = first === undefined ? "value-invalid" : codeOf(first);
  const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : "";
  const where = faults[0]?.pointer === "" ? "the body" : (faults[0]?.pointer ?? "the body");
  return new Problem(code, `Cannot use the body: ${first?.message ?? "it is invalid"} at ${where}${more}`, { faults });
}

function faultsOf(issue: Issue): Fault[] {
  if (issue.code !== "unrecognized_keys") return [{ pointer: toPointer(issue.path), expected: issue.message }];
  return (issue.keys ?? []).map((key) => ({
    pointer: toPointer([...issue.path, key]),
    expected: `no key ${quote(key)}`,
  }));
}

function codeOf(issue: Issue): ProblemCode {
  switch (issue.code ?? "custom") {
    case "unrecognized_keys":
      return "key-unknown";
    case "invalid_type":
      return issue.message.includes("received undefined") ? "key-missing" : "type-wrong";
    case "too_small":
    case "too_big":
      return issue.origin === "number" || issue.origin === "int" ? "number-out-of-range" : "length-wrong";
    case "invalid_format":
      return issue.format?.startsWith("base64") ? "base64-invalid" : "value-invalid";
    default:
      return "value-invalid";
  }
}
