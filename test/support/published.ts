import { spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Digest } from "../../pipeline/src/spec/digest.ts";
import { type Report, StageName } from "../../pipeline/src/spec/report.ts";
import { writeLayout } from "./layout.ts";

/** A tiny image archive in `folder`: what a registry takes for an image. */
export async function anArchive(folder: string, content: string): Promise<{ archive: string; digest: Digest }> {
  const layout = join(folder, `layout-${content}`);
  const digest = await writeLayout(layout, content);
  const archive = `${layout}.tar`;
  spawnSync("tar", ["-cf", archive, "-C", layout, "."]);
  return { archive, digest };
}

/** A file with a report of each stage, all passed. */
export async function passedReports(folder: string, subject: string): Promise<string> {
  const reports = StageName.options.map((stage): Report => {
    const times = { startedAt: "2026-11-24T00:00:00Z", durationMs: 1 };
    const rest = { figure: "", checks: [], facts: {}, ...times };
    return { schema: "sluice/report/v1", stage, subject, verdict: { kind: "pass" }, ...rest };
  });
  const path = join(folder, "passed.json");
  await writeFile(path, JSON.stringify(reports));
  return path;
}
