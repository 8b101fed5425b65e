import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { runTool } from "../../../pipeline/src/stage/tool.ts";

const source = join(import.meta.dirname, "../../fixtures/scan/database");
const npm = "npm::GitHub Security Advisory Npm";

/** Trivy as `scripts/ci-tools.sh` builds it, or the PATH's. */
export async function findTrivy(): Promise<string | undefined> {
  const built = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "sluice-ci/bin/trivy");
  for (const program of [built, "trivy"]) {
    const { exitCode } = await runTool(program, ["--version"], { timeoutMs: 30_000 });
    if (exitCode === 0) return program;
  }
  return undefined;
}

/**
 * A Trivy cache folder with a small vulnerability database in Trivy's own format: one advisory, left-pad before 1.3.1.
 * `builtAt` is RFC 3339.
 */
export async function makeDatabase(builtAt: string): Promise<string> {
  const cache = await mkdtemp(join(tmpdir(), "sluice-trivy-"));
  await mkdir(join(cache, "db"));
  const writer = join(cache, "writer");
  await expectZero("go", ["build", "-o", writer, "."], source);
  const tree = join(cache, "tree.json");
  await writeFile(tree, JSON.stringify(advisories));
  await expectZero("sh", ["-c", '"$0" "$1" < "$2"', writer, join(cache, "db/trivy.db"), tree], cache);
  const metadata = { Version: 2, NextUpdate: builtAt, UpdatedAt: builtAt, DownloadedAt: builtAt };
  await writeFile(join(cache, "db/metadata.json"), JSON.stringify(metadata));
  return cache;
}

const advisories = {
  buckets: {
    "data-source": {
      pairs: { [npm]: { ID: "ghsa", Name: "GitHub Security Advisory Npm", URL: "https://example.test" } },
    },
    [npm]: {
      buckets: {
        "left-pad": { pairs: { "CVE-2026-0001": { PatchedVersions: ["1.3.1"], VulnerableVersions: ["<1.3.1"] } } },
      },
    },
    vulnerability: {
      pairs: { "CVE-2026-0001": { Title: "left-pad pads too far", Severity: "HIGH", VendorSeverity: { ghsa: 3 } } },
    },
  },
};

async function expectZero(program: string, args: string[], cwd: string): Promise<void> {
  const ran = await runTool(program, args, { timeoutMs: 300_000, cwd });
  if (ran.exitCode !== 0) throw new Error(`Cannot make a database: ${program} ${ran.outcome}: ${ran.stderr}`);
}
