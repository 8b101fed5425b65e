import { type Container, dag, type File, func, object } from "@dagger.io/dagger";
import type { Report as StageReport } from "../spec/report.ts";
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

  private found: File;

  constructor(image: Container, found: File) {
    this.image = image;
    this.found = found;
  }

  /** What each stage saw. */
  @func()
  async reports(): Promise<Report[]> {
    const reports: StageReport[] = JSON.parse(await this.found.contents());
    return reports.map(toReport);
  }
}

/** A release with its proofs, as an object that a caller can go on from. */
export function toRelease(
  image: Container,
  reports: readonly StageReport[],
  { model, environment }: { model: string; environment: string },
): Release {
  const found = dag.directory().withNewFile("reports.json", JSON.stringify(reports)).file("reports.json");
  const release = new Release(image, found);
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
