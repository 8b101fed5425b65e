import { type Container, type Directory, dag } from "@dagger.io/dagger";
import { z } from "zod";
import { addressOf, type Images } from "../spec/images.ts";
import { Report } from "../spec/report.ts";
import { candidateOf, candidateUrl } from "./candidate.ts";
import { runSluice, toolbox } from "./toolbox.ts";

const One = z.strictObject({ report: Report });
const Many = z.strictObject({ reports: z.array(Report).length(1) });
const hourMs = 3_600_000;

/** The stages as programs in the toolbox: each gives the report that the host's command of the same name gives. */
export class Stages {
  private readonly box: Container;
  private readonly images: Images;

  constructor(code: Directory, source: Directory, images: Images) {
    this.box = toolbox(code, source, images);
    this.images = images;
  }

  async verify(model: string): Promise<Report> {
    const { reports } = await runSluice(this.box, ["verify", model], Many);
    return Report.parse(reports[0]);
  }

  /** Looks at most once an hour at the same image: a database grows stale by the clock alone. */
  async scan(image: Container, database: Directory | undefined): Promise<Report> {
    const trivy = dag.container().from(addressOf(this.images, "trivy")).file("/usr/local/bin/trivy");
    const box = this.box
      .withFile("/usr/local/bin/trivy", trivy)
      .withMountedFile("/image.tar", image.asTarball())
      .withEnvVariable("SLUICE_SCAN_HOUR", String(Math.floor(Date.now() / hourMs)));
    const cached =
      database === undefined
        ? box.withMountedCache("/trivy", dag.cacheVolume("sluice-trivy"))
        : box.withMountedDirectory("/trivy", database);
    return (await runSluice(cached, ["scan", "--image", "/image.tar", "--cache", "/trivy"], One)).report;
  }

  async contract(image: Container, model: string): Promise<Report> {
    const { service, key, limitedKey } = candidateOf(image, model);
    const box = this.box
      .withServiceBinding("candidate", service)
      .withMountedSecret("/run/secrets/key", key)
      .withMountedSecret("/run/secrets/limited-key", limitedKey);
    const keys = ["--key-file", "/run/secrets/key", "--limited-key-file", "/run/secrets/limited-key"];
    return (await runSluice(box, ["contract", model, "--url", candidateUrl, ...keys], One)).report;
  }

  async load(image: Container, model: string, environment: string): Promise<Report> {
    const { service, key } = candidateOf(image, model);
    const box = this.box.withServiceBinding("candidate", service).withMountedSecret("/run/secrets/key", key);
    const argv = ["load", model, "--environment", environment, "--url", candidateUrl, "--key-file", "/run/secrets/key"];
    return (await runSluice(box, argv, One)).report;
  }
}
