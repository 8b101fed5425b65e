import { type Container, type Directory, dag, type File, type Service } from "@dagger.io/dagger";
import { z } from "zod";
import { Ending } from "../spec/ending.ts";
import { addressOf, type Images } from "../spec/images.ts";
import { Report } from "../spec/report.ts";
import { databaseArgv } from "../stage/scan/argv.ts";
import { type Candidate, candidateOf, candidateUrl } from "./candidate.ts";
import { type Rollout, toRollout } from "./rollout.ts";
import { routerOf } from "./router.ts";
import { anew, type Folders, hostOf, runSluice, sluiceArgv, toolbox, withBubblewrap } from "./toolbox.ts";
import { Driver } from "./words.ts";

const One = z.strictObject({ report: Report });
const Many = z.strictObject({ reports: z.array(Report).length(1) });
const hourMs = 3_600_000;
const archive = "/image.tar";
const page = "/tmp/rollout.html";

/** The stages of one environment as programs in the toolbox: each gives the report that the host's command of the same name gives. */
export class Stages {
  readonly box: Container;
  private readonly images: Images;
  private readonly environment: string;

  constructor(folders: Folders, images: Images, environment: string) {
    this.box = toolbox(folders, images);
    this.images = images;
    this.environment = environment;
  }

  async verify(model: string): Promise<Report> {
    return lookedAt(this.box, async (box) => {
      const { document } = await runSluice(box, this.argv("verify", model), Many);
      return Report.parse(document.reports[0]);
    });
  }

  /** Needs the right to make namespaces: the one privileged exec, of our own program. */
  async inspect(image: Container, model: string): Promise<Report> {
    const box = withBubblewrap(this.box).withMountedFile(archive, image.asTarball());
    return this.report(box, ["image", "inspect", model, "--archive", archive], { insecureRootCapabilities: true });
  }

  async sbom(image: Container): Promise<File> {
    const argv = ["sbom", "--image", archive, "--output", "/sbom.cdx.json"];
    return this.withTrivy(image).withExec(sluiceArgv(argv)).file("/sbom.cdx.json");
  }

  /** Looks at most once an hour at the same image: a database grows stale by the clock alone. */
  async scan(image: Container, database: Directory | undefined): Promise<Report> {
    const box = this.withTrivy(image).withEnvVariable("SLUICE_SCAN_HOUR", String(Math.floor(Date.now() / hourMs)));
    const cached =
      database === undefined
        ? box.withMountedCache("/trivy", dag.cacheVolume("sluice-trivy"))
        : box.withMountedDirectory("/trivy", database);
    return this.report(cached, ["scan", "--image", archive, "--cache", "/trivy"]);
  }

  async contract(image: Container, model: string): Promise<Report> {
    const candidate = candidateOf(image, model);
    const box = this.facing(candidate).withMountedSecret("/run/secrets/limited-key", candidate.limitedKey);
    return this.report(box, ["contract", model, ...facing, "--limited-key-file", "/run/secrets/limited-key"]);
  }

  async load(image: Container, model: string, driver: Driver): Promise<Report> {
    const box = this.facing(candidateOf(image, model));
    if (driver === Driver.Own) return this.report(box, ["load", model, ...facing]);
    const k6 = dag.container().from(addressOf(this.images, "k6")).file("/usr/bin/k6");
    return this.report(box.withFile("/usr/local/bin/k6", k6), ["load", model, "--driver", "k6", ...facing]);
  }

  /** Every gate, each on the very image; the later ones only for a model that is what it says. */
  async all(image: Container, model: string, database: Directory | undefined): Promise<Report[]> {
    const verify = await this.verify(model);
    if (verify.verdict.kind !== "pass") return [verify];
    const inspect = await this.inspect(image, model);
    const scan = await this.scan(image, database);
    const contract = await this.contract(image, model);
    // Last and alone: whatever else ran beside it would be measured too.
    return [verify, inspect, scan, contract, await this.load(image, model, Driver.Own)];
  }

  /** The whole canary: two images as three services behind HAProxy, driven from the toolbox. Never cached. */
  async rehearse(
    names: { candidate: string; stable: string },
    images: { candidate: Container; stable: Container },
  ): Promise<Rollout> {
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
      anew(this.box).withMountedSecret("/run/secrets/key", canary.key),
    );
    const digests = [
      ...["--candidate-image", await images.candidate.asTarball().digest()],
      ...["--stable-image", await images.stable.asTarball().digest()],
    ];
    const who = ["rehearse", names.candidate, "--stable", names.stable, ...digests];
    return rolled(box, this.argv(...who, "--router", "router", "--key-file", "/run/secrets/key"));
  }

  /** The vulnerability database of today, from Trivy's own place or a mirror; `registry` stands for the mirror's host. */
  database(mirror: string | undefined, registry: Service | undefined): Directory {
    const box = anew(this.box.withFile("/usr/local/bin/trivy", this.trivy()));
    const bound = mirror === undefined || registry === undefined ? undefined : hostOf(mirror);
    const reached = bound === undefined || registry === undefined ? box : box.withServiceBinding(bound, registry);
    const argv = databaseArgv("/trivy", { mirror, plainHttp: bound !== undefined });
    return reached.withExec(["trivy", ...argv]).directory("/trivy");
  }

  private argv(...args: string[]): string[] {
    return [...args, "--environment", this.environment];
  }

  private async report(box: Container, args: string[], options = {}): Promise<Report> {
    const look = async (at: Container) => (await runSluice(at, this.argv(...args), One, options)).document.report;
    return lookedAt(box, look);
  }

  private facing({ service, key }: Candidate): Container {
    return this.box.withServiceBinding("candidate", service).withMountedSecret("/run/secrets/key", key);
  }

  private withTrivy(image: Container): Container {
    return this.box.withFile("/usr/local/bin/trivy", this.trivy()).withMountedFile(archive, image.asTarball());
  }

  private trivy(): File {
    return dag.container().from(addressOf(this.images, "trivy")).file("/usr/local/bin/trivy");
  }
}

/**
 * What `look` reports in `box`. A pass may be an earlier call's, from the cache; what did not pass then is looked at again,
 * for a busy machine or a missing tool is not for ever. Each look after one that failed has a key of its own, made from when
 * that was, so that a pass after it is found in the cache too.
 */
async function lookedAt(box: Container, look: (box: Container) => Promise<Report>): Promise<Report> {
  const from = Date.now();
  for (let at = box; ; ) {
    const report = await look(at);
    if (report.verdict.kind === "pass" || Date.parse(report.startedAt) >= from) return report;
    at = box.withEnvVariable("SLUICE_AFTER", report.startedAt);
  }
}

const facing = ["--url", candidateUrl, "--key-file", "/run/secrets/key"];

const Rolled = z.looseObject({ ending: Ending, unchanged: z.boolean().default(false) });

/** Runs a command that rolls out: how it ended, with its page. */
export async function rolled(box: Container, args: readonly string[]): Promise<Rollout> {
  const { document, after } = await runSluice(box, [...args, "--page", page], Rolled);
  const { ending, unchanged } = document;
  const empty = dag.directory().withNewFile("rollout.html", `<!doctype html>\n<title>${ending.reason}</title>\n`);
  return toRollout(ending, unchanged ? empty.file("rollout.html") : after.file(page));
}
