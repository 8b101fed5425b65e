import { z } from "zod";

// Trivy's own JSON: not strict, since each of its versions adds keys; what is read here is still checked.

const Vulnerability = z.object({
  VulnerabilityID: z.string().min(1),
  PkgName: z.string().min(1),
  InstalledVersion: z.string().optional(),
  FixedVersion: z.string().optional(),
  Severity: z.string(),
  Title: z.string().optional(),
});

const Misconfiguration = z.object({
  ID: z.string().min(1),
  Title: z.string().optional(),
  Message: z.string().optional(),
  Severity: z.string(),
  Status: z.enum(["PASS", "FAIL", "EXCEPTION"]),
});

const Secret = z.object({ RuleID: z.string().min(1), Title: z.string(), Severity: z.string(), StartLine: z.int() });

const License = z.object({ Name: z.string().min(1), PkgName: z.string(), FilePath: z.string(), Severity: z.string() });

const Package = z.object({
  Name: z.string().min(1),
  Version: z.string().optional(),
  Licenses: z.array(z.string()).default([]),
});

const Result = z.object({
  Target: z.string(),
  Class: z.string().optional(),
  Packages: z.array(Package).default([]),
  Vulnerabilities: z.array(Vulnerability).default([]),
  Misconfigurations: z.array(Misconfiguration).default([]),
  Secrets: z.array(Secret).default([]),
  Licenses: z.array(License).default([]),
});
export type TrivyResult = z.infer<typeof Result>;

/** The report that `trivy --format json` writes, schema version 2. */
export const TrivyReport = z.object({
  SchemaVersion: z.literal(2),
  Trivy: z.object({ Version: z.string() }).optional(),
  ArtifactType: z.string(),
  Results: z.array(Result).default([]),
});
export type TrivyReport = z.infer<typeof TrivyReport>;

/** `metadata.json` beside Trivy's vulnerability database. */
export const TrivyDatabase = z.object({
  Version: z.literal(2),
  UpdatedAt: z.iso.datetime({ offset: true }),
});

/** The part of a CycloneDX bill of materials that is looked at; an empty one is refused. */
export const Bom = z.object({
  bomFormat: z.literal("CycloneDX"),
  components: z.array(z.object({ name: z.string() })).min(1),
});
