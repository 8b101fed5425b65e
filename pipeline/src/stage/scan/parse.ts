import { type Finding, Severity } from "../../spec/scan.ts";
import type { TrivyReport, TrivyResult } from "../../spec/trivy.ts";

/** Findings of a Trivy report, and how many packages it knows. Packages that name no licence are findings too. */
export function readFindings(report: TrivyReport): { packages: number; findings: Finding[] } {
  const findings = report.Results.flatMap((result) => [
    ...vulnerabilities(result),
    ...secrets(result),
    ...misconfigurations(result),
    ...licenses(result),
  ]);
  const packages = report.Results.reduce((sum, result) => sum + result.Packages.length, 0);
  return { packages, findings: withoutDoubles(findings) };
}

/** Whether Trivy's own rule for its exit code holds: a misconfiguration counts when its check failed. */
export function foundAnything(report: TrivyReport): boolean {
  return report.Results.some(
    (result) =>
      result.Vulnerabilities.length > 0 ||
      result.Secrets.length > 0 ||
      result.Licenses.length > 0 ||
      result.Misconfigurations.some(({ Status }) => Status === "FAIL"),
  );
}

function vulnerabilities(result: TrivyResult): Finding[] {
  return result.Vulnerabilities.map((found) => ({
    scanner: "vulnerability",
    id: found.VulnerabilityID,
    severity: severityOf(found.Severity),
    package: found.PkgName,
    ...(found.InstalledVersion === undefined ? {} : { version: found.InstalledVersion }),
    ...(found.FixedVersion === undefined || found.FixedVersion === "" ? {} : { fixedIn: found.FixedVersion }),
    system: result.Class === "os-pkgs",
    title: found.Title ?? "",
  }));
}

function secrets(result: TrivyResult): Finding[] {
  return result.Secrets.map((found) => ({
    scanner: "secret",
    id: found.RuleID,
    severity: severityOf(found.Severity),
    package: result.Target,
    system: false,
    title: `${found.Title} in line ${found.StartLine}`, // never the secret itself
  }));
}

function misconfigurations(result: TrivyResult): Finding[] {
  const failed = result.Misconfigurations.filter(({ Status }) => Status === "FAIL");
  return failed.map((found) => ({
    scanner: "misconfiguration",
    id: found.ID,
    severity: severityOf(found.Severity),
    package: result.Target,
    system: false,
    title: found.Message ?? found.Title ?? "",
  }));
}

function licenses(result: TrivyResult): Finding[] {
  const named = result.Licenses.map((found) => ({
    id: found.Name,
    severity: severityOf(found.Severity),
    package: found.PkgName || found.FilePath || result.Target,
    system: result.Target === "OS Packages",
  }));
  const unnamed = result.Packages.filter(({ Licenses }) => Licenses.length === 0).map((found) => ({
    id: "unknown",
    severity: "unknown" as const,
    package: found.Name,
    system: result.Class === "os-pkgs",
  }));
  return [...named, ...unnamed].map((found) => ({ scanner: "license", ...found, title: "" }));
}

function severityOf(word: string): Severity {
  const known = Severity.safeParse(word.toLowerCase());
  return known.success ? known.data : "unknown";
}

function withoutDoubles(findings: Finding[]): Finding[] {
  return [...new Map(findings.map((finding) => [JSON.stringify(finding), finding])).values()];
}
