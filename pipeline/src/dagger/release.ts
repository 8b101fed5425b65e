import {
  type Container,
  type Directory,
  dag,
  type File,
  func,
  object,
  type Secret,
  type Service,
} from "@dagger.io/dagger";
import { z } from "zod";
import { parseJson } from "../spec/read.ts";
import { Report as StageReport } from "../spec/report.ts";
import { explain } from "../spec/verdict.ts";
import { type Inputs, imageOf, repositoryOf, stagesOf } from "./inputs.ts";
import { readEnvironment } from "./policies.ts";
import { type Report, toReport } from "./report.ts";
import type { Rollout } from "./rollout.ts";
import { Environment } from "./words.ts";

/** One admitted release: an image with its model, and what was proven about it. */
@object()
export class Release implements Inputs {
  /** name@version of its model. */
  @func()
  model = "";

  /** The environment whose policies admitted it. */
  @func()
  environment: Environment = Environment.Laptop;

  /** One line for each stage: its verdict and the number that a reader wants. */
  @func()
  summary = "";

  /** The image. */
  @func()
  image: Container;

  /** What each stage saw, as JSON: `sluice parity` compares it with another run's. */
  @func()
  record: File;

  source: Directory;
  code: Directory;
  manifests: Directory;
  images: File;
  username: string;
  password?: Secret;
  registry?: Service;
  revision: string;
  origin: string;

  constructor(image: Container, record: File, inputs: Inputs) {
    this.image = image;
    this.record = record;
    this.source = inputs.source;
    this.code = inputs.code;
    this.manifests = inputs.manifests;
    this.images = inputs.images;
    this.username = inputs.username;
    this.revision = inputs.revision;
    this.origin = inputs.origin;
    if (inputs.password !== undefined) this.password = inputs.password;
    if (inputs.registry !== undefined) this.registry = inputs.registry;
  }

  /** What each stage saw. */
  @func()
  async reports(): Promise<Report[]> {
    return (await this.read()).map(toReport);
  }

  /** What is in the image: a CycloneDX bill of materials. */
  @func()
  async sbom(): Promise<File> {
    return (await stagesOf(this, this.environment)).sbom(this.image);
  }

  /**
   * Push the image, and attached to it the release record, the components and a signature. Returns its address by digest.
   * @param address host/repository:tag
   * @param signingKey Private EC key in PEM that signs what was proven
   */
  @func({ cache: "never" })
  async publish(address: string, signingKey?: Secret): Promise<string> {
    const { model, image, environment } = this;
    const repository = await repositoryOf(this, address, environment);
    return repository.publish({ model, image, reports: await this.read() }, { sbom: await this.sbom(), signingKey });
  }

  /**
   * Run the whole canary in the engine, on this very image.
   * @param stable name@version of stable; the environment's bootstrap when not given
   */
  @func({ cache: "never" })
  async rehearse(stable?: string): Promise<Rollout> {
    return rehearse(this, this.environment, { candidate: this.model, image: this.image, stable });
  }

  private async read(): Promise<StageReport[]> {
    return parseJson(await this.record.contents(), Run, "a release's record").reports;
  }
}

const Run = z.strictObject({ reports: z.array(StageReport) });

/** Stable, baseline and candidate behind HAProxy, under made-up traffic, judged by the environment's policies. */
export async function rehearse(
  inputs: Inputs,
  environment: Environment,
  { candidate, image, stable }: { candidate: string; image: Container; stable: string | undefined },
): Promise<Rollout> {
  const names = { candidate, stable: stable ?? (await readEnvironment(inputs.source, environment)).bootstrap };
  const images = { candidate: image, stable: await imageOf(inputs, names.stable) };
  return (await stagesOf(inputs, environment)).rehearse(names, images);
}

/** A release with its proofs, as an object that a caller can go on from. */
export function toRelease(
  image: Container,
  reports: readonly StageReport[],
  { model, environment, inputs }: { model: string; environment: Environment; inputs: Inputs },
): Release {
  const record = dag
    .directory()
    .withNewFile("run.json", JSON.stringify({ reports }, null, 2))
    .file("run.json");
  return Object.assign(new Release(image, record, inputs), { model, environment, summary: summarise(reports) });
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
