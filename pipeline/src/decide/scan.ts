import type { Check } from "../spec/report.ts";
import type { Finding, ScanFacts, Scanner, ScanPolicy, Severity, Waiver } from "../spec/scan.ts";
import type { Verdict } from "../spec/verdict.ts";
import { isAllowed } from "./license.ts";

/** A scan's verdict, one check for each scanner and waiver, and what to do next, most urgent first. */
export type ScanJudgement = { verdict: Verdict; figure: string; checks: Check[]; next: string[] };

const hourMs = 3_600_000;
const scanners: readonly Scanner[] = ["vulnerability", "secret", "misconfiguration", "license"];
const ranks: Record<Severity, number> = { critical: 4, high: 3, medium: 2, low: 1, unknown: 0 };

/** Judges a scan at `nowMs` (since the epoch). Anything but a whole report on a fresh database is an error. */
export function judgeScan(facts: ScanFacts, policy: ScanPolicy, nowMs: number): ScanJudgement {
  const reason = whyUnmeasured(facts, policy, nowMs);
  if (reason !== undefined || facts.inventory === undefined) {
    const verdict: Verdict = { kind: "error", reason: reason ?? "Cannot judge scan: it has no inventory" };
    return { verdict, figure: "not scanned", checks: [], next: [] };
  }
  const { findings, packages } = facts.inventory;
  const today = new Date(nowMs).toISOString().slice(0, 10);
  const standing = policy.waivers.filter((waiver) => waiver.expires >= today);
  const blocking = findings.filter((finding) => blocks(finding, policy));
  const open = blocking.filter((finding) => !standing.some((waiver) => covers(waiver, finding)));
  const checks = [
    ...scanners.map((scanner) => checkOf(scanner, open)),
    ...policy.waivers.map((waiver) => checkWaiver(waiver, today, blocking)),
  ];
  const breaches = checks.flatMap(({ verdict }) => (verdict.kind === "fail" ? verdict.breaches : []));
  return {
    verdict: breaches.length === 0 ? { kind: "pass" } : { kind: "fail", breaches },
    figure: `${open.length} blocking, ${blocking.length - open.length} waived, in ${packages} packages`,
    checks,
    next: whatNext(open),
  };
}

function whyUnmeasured({ run, database, inventory, problem }: ScanFacts, policy: ScanPolicy, nowMs: number) {
  if (run.outcome === "missing") return "Cannot scan: trivy is not on the PATH; next: scripts/ci-tools.sh trivy";
  if (run.outcome === "timed out") return `Cannot scan: trivy was not done in ${policy.timeoutSeconds} s`;
  if (run.outcome === "killed") return `Cannot scan: trivy was killed: ${run.log}`;
  if (database === undefined)
    return "Cannot scan: no vulnerability database; next: run once with database.update: true, or with Dagger give --database";
  const ageHours = (nowMs - Date.parse(database.builtAt)) / hourMs;
  if (!(ageHours <= policy.database.maxAgeHours)) {
    return `Cannot scan: vulnerability database is ${Math.round(ageHours)} h old, policy wants at most ${policy.database.maxAgeHours} h`;
  }
  if (!(ageHours >= -1)) return `Cannot scan: vulnerability database is dated ${database.builtAt}, in the future`;
  if (problem !== undefined) return `Cannot scan: ${problem}`;
  if (inventory === undefined) return "Cannot scan: trivy wrote no report";
  if (inventory.packages === 0) return "Cannot scan: trivy saw no package, so it looked at nothing";
  return undefined;
}

function blocks(finding: Finding, policy: ScanPolicy): boolean {
  if (finding.scanner === "license") {
    if (finding.system && policy.license.system === "allow") return false;
    if (finding.id === "unknown") return policy.license.unknown === "deny";
    return !isAllowed(finding.id, policy.license.allow);
  }
  if (!policy[finding.scanner].block.includes(finding.severity)) return false;
  return finding.scanner !== "vulnerability" || policy.vulnerability.only === "all" || finding.fixedIn !== undefined;
}

function covers(waiver: Waiver, finding: Finding): boolean {
  return waiver.id === finding.id && waiver.package === finding.package;
}

function checkOf(scanner: Scanner, open: Finding[]): Check {
  const breaches = whatNext(open.filter((finding) => finding.scanner === scanner));
  return { name: scanner, verdict: breaches.length === 0 ? { kind: "pass" } : { kind: "fail", breaches } };
}

function checkWaiver(waiver: Waiver, today: string, blocking: Finding[]): Check {
  const name = `waiver ${waiver.id} ${waiver.package}`;
  if (waiver.expires < today) {
    const breach = `waiver ${waiver.id} for ${waiver.package} ended on ${waiver.expires}; next: ask ${waiver.owner} to renew or remove it`;
    return { name, verdict: { kind: "fail", breaches: [breach] } };
  }
  if (blocking.some((finding) => covers(waiver, finding))) return { name, verdict: { kind: "pass" } };
  return { name: `${name} is unused: remove it`, verdict: { kind: "pass" } };
}

/** One line for each thing to do: the worst first, what an upgrade mends before what has no fix. */
function whatNext(open: Finding[]): string[] {
  const groups = Map.groupBy(open, (finding) => `${finding.scanner} ${finding.package} ${finding.version ?? ""}`);
  const worst = (group: Finding[]) => Math.max(...group.map((finding) => ranks[finding.severity]));
  const fixes = (group: Finding[]) => group.some((finding) => finding.fixedIn !== undefined);
  return [...groups.values()]
    .toSorted((a, b) => worst(b) - worst(a) || Number(fixes(b)) - Number(fixes(a)) || a.length - b.length)
    .map(sayGroup);
}

function sayGroup(group: Finding[]): string {
  const [first] = group;
  if (first === undefined) return "";
  const ids = group
    .toSorted((a, b) => ranks[b.severity] - ranks[a.severity])
    .map((finding) => `${finding.id} (${finding.severity})`)
    .join(", ");
  const name = first.version === undefined ? first.package : `${first.package} ${first.version}`;
  switch (first.scanner) {
    case "vulnerability": {
      const fixed = [...new Set(group.flatMap(({ fixedIn }) => (fixedIn === undefined ? [] : [fixedIn])))];
      return fixed.length === 0
        ? `${name} has ${ids}, no fix known`
        : `upgrade ${name} to ${fixed.join(" and ")}: ${ids}`;
    }
    case "secret":
      return `remove and revoke the secret in ${name}: ${group.map(({ title }) => title).join(", ")}`;
    case "misconfiguration":
      return `change ${name}: ${group.map(({ id, title }) => `${id} ${title}`).join("; ")}`;
    case "license":
      return `${name} has licence ${group.map(({ id }) => id).join(", ")}, which is not on the list`;
  }
}
