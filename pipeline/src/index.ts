/**
 * Deploys ONNX models: verifies a release, builds its image, proves it, and lets traffic in through a canary.
 *
 * Every function does what the `sluice` command of the same name does, in containers: the same on a laptop and in CI.
 */
import { argument, type Container, type Directory, type File, func, object } from "@dagger.io/dagger";
import { buildImage } from "./dagger/image.ts";
import { readEnvironment } from "./dagger/policies.ts";
import { type Release, summarise, toRelease } from "./dagger/release.ts";
import { type Report, toReport } from "./dagger/report.ts";
import { Stages } from "./dagger/stages.ts";
import { admit } from "./decide/admit.ts";
import { Images } from "./spec/images.ts";
import { parseYaml } from "./spec/read.ts";
import { explain } from "./spec/verdict.ts";

export { Release } from "./dagger/release.ts";
export { Report, Verdict } from "./dagger/report.ts";

@object()
export class Sluice {
  /** Where models/ and policies/ come from. */
  @func()
  source: Directory;

  private code: Directory;
  private images: File;

  /**
   * @param source A folder with models/ and policies/; Sluice's own when not given
   * @param images The images to pull, as in policies/images.yaml
   * @param code Sluice's own code: leave it alone
   */
  constructor(
    @argument({ defaultPath: "/", ignore: ["**", "!models/**", "!policies/**", "**/__pycache__"] }) source: Directory,
    @argument({ defaultPath: "/policies/images.yaml" }) images: File,
    @argument({
      defaultPath: "/",
      ignore: [
        "**",
        "!bin/**",
        "!package.json",
        "!package-lock.json",
        "!.npmrc",
        "!pipeline/**",
        "!service/**",
        "**/node_modules",
        "pipeline/sdk",
      ],
    })
    code: Directory,
  ) {
    this.source = source;
    this.images = images;
    this.code = code;
  }

  /**
   * Prove a model folder: every file against its manifest, and the golden answers.
   * @param model name@version
   */
  @func()
  async verify(model: string): Promise<Report> {
    return toReport(await (await this.stages()).verify(model));
  }

  /**
   * Build the service's image with one model: slim, non-root, nothing to write to.
   * @param model name@version
   * @param runtime bun or deno
   */
  @func()
  async image(model: string, runtime = "bun"): Promise<Container> {
    return buildImage(this.code, this.source, await this.readImages(), { model, target: runtime });
  }

  /**
   * Look for vulnerabilities, secrets, misconfiguration and licences in the image, by policies/scan.yaml.
   * @param model name@version
   * @param database Folder of Trivy's vulnerability database
   */
  @func({ cache: "session" })
  async scan(model: string, database?: Directory): Promise<Report> {
    return toReport(await (await this.stages()).scan(await this.image(model), database));
  }

  /**
   * Is the image a correct Sluice service? Every answer is held against its own OpenAPI.
   * @param model name@version
   */
  @func()
  async contract(model: string): Promise<Report> {
    return toReport(await (await this.stages()).contract(await this.image(model), model));
  }

  /**
   * Is the image fast enough? Drives it at a constant rate and holds it against policies/slo.yaml.
   * @param model name@version
   * @param environment A file of policies/environments
   */
  @func()
  async load(model: string, environment = "local"): Promise<Report> {
    return toReport(await (await this.stages()).load(await this.image(model), model, environment));
  }

  /**
   * Take a model from its folder to a release: verify, image, scan, contract, load, admit.
   * @param environment A file of policies/environments
   * @param model name@version; what the environment names when not given
   * @param database Folder of Trivy's vulnerability database
   */
  @func({ cache: "never" })
  async deploy(environment = "local", model?: string, database?: Directory): Promise<Release> {
    const { release, require } = await readEnvironment(this.source, environment);
    const wanted = model ?? release;
    const stages = await this.stages();
    const image = await this.image(wanted);
    const reports = [await stages.verify(wanted)];
    if (reports.every(({ verdict }) => verdict.kind === "pass")) {
      reports.push(await stages.scan(image, database), await stages.contract(image, wanted));
      reports.push(await stages.load(image, wanted, environment));
    }
    const verdict = admit(require, reports);
    if (verdict.kind !== "pass") {
      throw new Error(`Cannot release ${wanted}: ${explain(verdict)}\n${summarise(reports)}`);
    }
    return toRelease(image, reports, { model: wanted, environment });
  }

  private async stages(): Promise<Stages> {
    return new Stages(this.code, this.source, await this.readImages());
  }

  private async readImages(): Promise<Images> {
    return parseYaml(await this.images.contents(), Images, "policies/images.yaml");
  }
}
