import { type Container, dag, type File, func, object } from "@dagger.io/dagger";
import { z } from "zod";
import { parseJson } from "../spec/read.ts";
import { Report as StageReport } from "../spec/report.ts";
import { explain } from "../spec/verdict.ts";
import { type Report, toReport } from "./report.ts";

/** One release: an image with its model, and what was proven about it. */
@object()
export class Release {
  /** name@version of its model. */
  @func()
  model = "";

  /** The environment whose policies admitted it. */
  @func()
  environment = "";

  /** One line for each stage: its verdict and the number that a reader wants. */
  @func()
  summary = "";

  /** The image. */
  @func()
  image: Container;

  /** What each stage saw, as JSON: `sluice parity` compares it with another run's. */
  @func()
  record: File;

  constructor(image: Container, record: File) {
    this.image = image;
    this.record = record;
  }

  /** What each stage saw. */
  @func()
  async reports(): Promise<Report[]> {
    return (await readReports(this)).map(toReport);
  }
}

const Run = z.strictObject({ reports: z.array(StageReport) });

/** The reports of a release. */
export async function readReports({ record }: Release): Promise<StageReport[]> {
  return parseJson(await record.contents(), Run, "a release's record").reports;
}

/** A release with its proofs, as an object that a caller can go on from. */
export function toRelease(
  image: Container,
  reports: readonly StageReport[],
  { model, environment }: { model: string; environment: string },
): Release {
  const record = dag
    .directory()
    .withNewFile("run.json", JSON.stringify({ reports }, null, 2))
    .file("run.json");
  const release = new Release(image, record);
  release.model = model;
  release.environment = environment;
  release.summary = summarise(reports);
  return release;
}

/** One line for each report. */
export function summarise(reports: readonly StageReport[]): string {
  return reports
    .map(({ stage, verdict, figure }) => {
      const reason = verdict.kind === "pass" ? "" : `: ${explain(verdict)}`;
      return `${stage.padEnd(9)} ${verdict.kind.padEnd(12)} ${figure}${reason}`;
    })
    .join("\n");
}
