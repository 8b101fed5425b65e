import { z } from "zod";

/** How bad a finding is, by the scanner's own word; `unknown` when it gives none. */
export const Severity = z.enum(["unknown", "low", "medium", "high", "critical"]);
export type Severity = z.infer<typeof Severity>;

/** What looks for what. */
export const Scanner = z.enum(["vulnerability", "secret", "misconfiguration", "license"]);
export type Scanner = z.infer<typeof Scanner>;

const Block = z.array(Severity).min(1);

/** A finding that an owner accepts until the end of `expires` (a day, UTC). `package` is a package's or a file's name. */
export const Waiver = z.strictObject({
  id: z.string().min(1),
  package: z.string().min(1),
  reason: z.string().min(10, "expected a reason of 10 characters or more"),
  owner: z.string().min(1),
  expires: z.iso.date(),
});
export type Waiver = z.infer<typeof Waiver>;

/** `policies/scan.yaml`: what a scan may find and still pass. Severities named under `block` stop a release. */
export const ScanPolicy = z.strictObject({
  schema: z.literal("sluice/scan/v1"),
  timeoutSeconds: z.int().positive().max(3_600),
  database: z.strictObject({
    /** Hours since the database was built; older is an error. */
    maxAgeHours: z.number().positive(),
    /** Fetch a newer one first. Off: the cached one is used as it is. */
    update: z.boolean(),
    /** Where to fetch it from, as a registry's repository; Trivy's own when absent. */
    mirror: z.string().min(1).optional(),
  }),
  /** Folders of a source tree that are not looked at; globs relative to it. */
  skip: z.array(z.string().min(1)),
  vulnerability: z.strictObject({ block: Block, only: z.enum(["fixable", "all"]) }),
  secret: z.strictObject({ block: Block }),
  misconfiguration: z.strictObject({ block: Block }),
  /**
   * SPDX names; `unknown` says whether a package that names no licence passes. The base image's own packages
   * (`system`) are held to the list only when asked: a glibc is always LGPL.
   */
  license: z.strictObject({
    allow: z.array(z.string().min(1)).min(1),
    unknown: z.enum(["allow", "deny"]),
    system: z.enum(["allow", "check"]),
  }),
  waivers: z.array(Waiver),
});
export type ScanPolicy = z.infer<typeof ScanPolicy>;

/** What is scanned: a source tree, an unpacked root file system, or an image archive (Docker or OCI). */
export const ScanTarget = z.strictObject({ kind: z.enum(["source", "rootfs", "image"]), path: z.string().min(1) });
export type ScanTarget = z.infer<typeof ScanTarget>;

/** One thing that a scanner found. `package` is the package, or for a secret or a misconfiguration the file. */
export const Finding = z.strictObject({
  scanner: Scanner,
  id: z.string().min(1),
  severity: Severity,
  package: z.string().min(1),
  version: z.string().exactOptional(),
  fixedIn: z.string().exactOptional(),
  /** A package of the base image's distribution. */
  system: z.boolean(),
  title: z.string(),
});
export type Finding = z.infer<typeof Finding>;

/** How Trivy ended; `missing` when there is no such program. */
const ScanRun = z.strictObject({
  outcome: z.enum(["exited", "missing", "timed out", "killed"]),
  exitCode: z.int(),
  /** The last lines of its log, for a run that broke. */
  log: z.string(),
});

/** What one scan saw. `builtAt` is when the vulnerability database was built. */
export const ScanFacts = z.strictObject({
  run: ScanRun,
  scannerVersion: z.string().exactOptional(),
  database: z.strictObject({ builtAt: z.iso.datetime({ offset: true }), cache: z.string() }).exactOptional(),
  /** Absent when there is no report, or none that can be understood: `problem` says why. */
  inventory: z.strictObject({ packages: z.int().nonnegative(), findings: z.array(Finding) }).exactOptional(),
  problem: z.string().exactOptional(),
});
export type ScanFacts = z.infer<typeof ScanFacts>;
