import { type Container, type Directory, dag, type File } from "@dagger.io/dagger";
import { z } from "zod";
import { addressOf, type Images } from "../spec/images.ts";
import { Ending } from "../spec/ending.ts";
import { Report } from "../spec/report.ts";
import { databaseArgv } from "../stage/scan/argv.ts";
import { candidateOf, candidateUrl } from "./candidate.ts";
import { routerOf } from "./rehearsal.ts";
import { type Folders, runSluice, sluiceArgv, toolbox, withBubblewrap } from "./toolbox.ts";

const One = z.strictObject({ report: Report });
const Many = z.strictObject({ reports: z.array(Report).length(1) });
const hourMs = 3_600_000;

/** The stages as programs in the toolbox: each gives the report that the host's command of the same name gives. */
export class Stages {
  readonly box: Container;
  private readonly images: Images;

  constructor(folders: Folders, images: Images) {
    this.box = toolbox(folders, images);
    this.images = images;
  }

  async verify(model: string): Promise<Report> {
    const { reports } = await runSluice(this.box, ["verify", model], Many);
    return Report.parse(reports[0]);
  }

  /** Needs the right to make namespaces: the one privileged exec, of our own program. */
  async inspect(image: Container, model: string): Promise<Report> {
    const box = withBubblewrap(this.box).withMountedFile("/image.tar", image.asTarball());
    const argv = ["image", "inspect", model, "--archive", "/image.tar"];
    return (await runSluice(box, argv, One, { insecureRootCapabilities: true })).report;
  }

  async sbom(image: Container): Promise<File> {
    const box = this.withTrivy().withMountedFile("/image.tar", image.asTarball());
    const argv = ["sbom", "--image", "/image.tar", "--output", "/sbom.cdx.json"];
    return box.withExec(sluiceArgv(argv)).file("/sbom.cdx.json");
  }

  /** Looks at most once an hour at the same image: a database grows stale by the clock alone. */
  async scan(image: Container, database: Directory | undefined): Promise<Report> {
    const box = this.withTrivy()
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

  async load(
    image: Container,
    { model, environment, driver }: { model: string; environment: string; driver: string },
  ): Promise<Report> {
    const { service, key } = candidateOf(image, model);
    let box = this.box.withServiceBinding("candidate", service).withMountedSecret("/run/secrets/key", key);
    if (driver === "k6") {
      const k6 = dag.container().from(addressOf(this.images, "k6")).file("/usr/bin/k6");
      box = box.withFile("/usr/local/bin/k6", k6);
    }
    const where = ["--environment", environment, "--url", candidateUrl, "--key-file", "/run/secrets/key"];
    return (await runSluice(box, ["load", model, "--driver", driver, ...where], One)).report;
  }

  /** Every gate, each on the very image; the later ones only for a model that is what it says. */
  async all(
    image: Container,
    { model, environment, database }: { model: string; environment: string; database: Directory | undefined },
  ): Promise<Report[]> {
    const verify = await this.verify(model);
    if (verify.verdict.kind !== "pass") return [verify];
    const inspect = await this.inspect(image, model);
    const scan = await this.scan(image, database);
    const contract = await this.contract(image, model);
    // Last and alone: whatever else ran beside it would be measured too.
    return [verify, inspect, scan, contract, await this.load(image, { model, environment, driver: "sluice" })];
  }

  /** The whole canary: two images as three services behind HAProxy, driven from the toolbox. Never cached. */
  async rehearse(
    names: { candidate: string; stable: string },
    images: { candidate: Container; stable: Container },
    environment: string,
  ): Promise<Ending> {
    const arm = (image: Container, id: string) =>
      candidateOf(image.withEnvVariable("SLUICE_REVISION", id), "rehearsal");
    const canary = arm(images.candidate, "canary");
    const arms = {
      stable: arm(images.stable, "stable").service,
      baseline: arm(images.stable, "baseline").service,
      canary: canary.service,
    };
    const box = Object.entries({ ...arms, router: routerOf(this.images, arms) }).reduce(
      (container: Container, [host, service]) => container.withServiceBinding(host, service),
      this.box.withMountedSecret("/run/secrets/key", canary.key).withEnvVariable("SLUICE_RUN", crypto.randomUUID()),
    );
    const digests = [
      ...["--candidate-image", await images.candidate.asTarball().digest()],
      ...["--stable-image", await images.stable.asTarball().digest()],
    ];
    const argv = ["rehearse", names.candidate, "--stable", names.stable, "--environment", environment, ...digests];
    const run = [...argv, "--router", "router", "--key-file", "/run/secrets/key"];
    return (await runSluice(box, run, z.strictObject({ ending: Ending }))).ending;
  }

  /** The vulnerability database of today, from Trivy's own place or a mirror. */
  database(mirror: string | undefined): Directory {
    return this.withTrivy()
      .withEnvVariable("SLUICE_RUN", crypto.randomUUID())
      .withExec(["trivy", ...databaseArgv("/trivy", mirror)])
      .directory("/trivy");
  }

  private withTrivy(): Container {
    const trivy = dag.container().from(addressOf(this.images, "trivy")).file("/usr/local/bin/trivy");
    return this.box.withFile("/usr/local/bin/trivy", trivy);
  }
}
