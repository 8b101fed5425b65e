import type { ScanPolicy, ScanTarget } from "../../spec/scan.ts";

/** The exit code that Trivy is asked for when it found anything; its own failures exit 1. */
export const FOUND = 10;

const commands = { source: "filesystem", rootfs: "rootfs", image: "image" } as const;

/**
 * Arguments of one `trivy` run that looks for everything and leaves the judging to us: all severities, no version
 * check, no telemetry. Run it in an empty folder: Trivy reads its configuration and ignore files from where it stands.
 */
export function scanArgv(
  target: ScanTarget,
  policy: ScanPolicy,
  options: { output: string; cache: string },
): readonly string[] {
  return [
    ...common(commands[target.kind], policy, options),
    ...["--format", "json", "--scanners", "vuln,secret,misconfig,license"],
    ...["--severity", "UNKNOWN,LOW,MEDIUM,HIGH,CRITICAL", "--exit-code", String(FOUND)],
    "--skip-check-update",
    ...updateArgv(policy),
    ...subject(target, policy),
  ];
}

/** Arguments of one `trivy` run that writes the CycloneDX bill of materials of `target`. */
export function sbomArgv(
  target: ScanTarget,
  policy: ScanPolicy,
  options: { output: string; cache: string },
): readonly string[] {
  return [...common(commands[target.kind], policy, options), "--format", "cyclonedx", ...subject(target, policy)];
}

/**
 * Arguments of one `trivy` run that fetches the vulnerability database into `cache` and looks at nothing. `plainHttp`
 * lets the mirror speak without TLS.
 */
export function databaseArgv(
  cache: string,
  { mirror, plainHttp = false }: { mirror?: string | undefined; plainHttp?: boolean } = {},
): readonly string[] {
  const from = mirror === undefined ? [] : ["--db-repository", mirror];
  const insecure = plainHttp ? ["--insecure"] : [];
  return [
    ...["image", "--download-db-only", "--no-progress", "--disable-telemetry", "--cache-dir", cache],
    ...from,
    ...insecure,
  ];
}

function common(command: string, policy: ScanPolicy, options: { output: string; cache: string }): string[] {
  return [
    ...[command, "--no-progress", "--offline-scan", "--skip-version-check", "--disable-telemetry"],
    ...["--timeout", `${policy.timeoutSeconds}s`],
    ...["--cache-dir", options.cache, "--output", options.output],
  ];
}

function updateArgv({ database }: ScanPolicy): string[] {
  if (!database.update) return ["--skip-db-update", "--skip-java-db-update"];
  return ["--skip-java-db-update", ...(database.mirror === undefined ? [] : ["--db-repository", database.mirror])];
}

function subject(target: ScanTarget, policy: ScanPolicy): string[] {
  if (target.kind === "image") return ["--input", target.path];
  return [...policy.skip.flatMap((glob) => ["--skip-dirs", glob]), target.path];
}
