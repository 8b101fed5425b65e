/**
 * Deploys ONNX models: verifies a release, builds its image, proves it, and lets traffic in through a canary.
 *
 * Every function does what the `sluice` command of the same name does, in containers: the same on a laptop and in CI.
 */
import {
  argument,
  type Container,
  type Directory,
  type File,
  func,
  object,
  type Secret,
  type Service,
} from "@dagger.io/dagger";
import { buildImage } from "./dagger/image.ts";
import { readEnvironment } from "./dagger/policies.ts";
import { Registry } from "./dagger/registry.ts";
import { type Rehearsal, toRehearsal } from "./dagger/rehearsal.ts";
import { type Release, readReports, summarise, toRelease } from "./dagger/release.ts";
import { type Report, toReport } from "./dagger/report.ts";
import { Stages } from "./dagger/stages.ts";
import { admit } from "./decide/admit.ts";
import { Images } from "./spec/images.ts";
import { parseYaml } from "./spec/read.ts";
import type { Report as StageReport } from "./spec/report.ts";
import { explain } from "./spec/verdict.ts";

export { Rehearsal } from "./dagger/rehearsal.ts";
export { Release } from "./dagger/release.ts";
export { Report, Verdict } from "./dagger/report.ts";

@object()
export class Sluice {
  /** Where models/ and policies/ come from. */
  @func()
  source: Directory;

  private code: Directory;
  private manifests: Directory;
  private images: File;

  /**
   * @param source A folder with models/ and policies/; Sluice's own when not given
   * @param images The images to pull, as in policies/images.yaml
   * @param code Sluice's own code: leave it alone
   * @param manifests The part of it that says what to install: leave it alone
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
    // By itself, so that a change of the code is no reason for the engine to install everything again.
    @argument({
      defaultPath: "/",
      ignore: [
        "**",
        "!package.json",
        "!package-lock.json",
        "!.npmrc",
        "!pipeline/package.json",
        "!service/package.json",
        "**/node_modules",
      ],
    })
    manifests: Directory,
  ) {
    this.source = source;
    this.images = images;
    this.code = code;
    this.manifests = manifests;
  }

  /**
   * Prove a model folder: every file against its manifest, and the golden answers.
   * @param model name@version
   */
  @func()
  async verify(model: string): Promise<Report> {
    return passed(await (await this.stages()).verify(model));
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
   * Is the image slim and harmless? Looks at every path, and runs it with a read-only root, no capability, no network.
   * @param model name@version
   */
  @func()
  async inspect(model: string): Promise<Report> {
    return passed(await (await this.stages()).inspect(await this.image(model), model));
  }

  /**
   * List what is in the image: a CycloneDX bill of materials.
   * @param model name@version
   */
  @func()
  async sbom(model: string): Promise<File> {
    return (await this.stages()).sbom(await this.image(model));
  }

  /**
   * Look for vulnerabilities, secrets, misconfiguration and licences in the image, by policies/scan.yaml.
   * @param model name@version
   * @param database Folder of Trivy's vulnerability database
   */
  @func({ cache: "session" })
  async scan(model: string, database?: Directory): Promise<Report> {
    return passed(await (await this.stages()).scan(await this.image(model), database));
  }

  /**
   * Is the image a correct Sluice service? Every answer is held against its own OpenAPI.
   * @param model name@version
   */
  @func()
  async contract(model: string): Promise<Report> {
    return passed(await (await this.stages()).contract(await this.image(model), model));
  }

  /**
   * Is the image fast enough? Drives it at a constant rate and holds it against policies/slo.yaml.
   * @param model name@version
   * @param environment A file of policies/environments
   * @param driver sluice, or k6: then its image is pulled
   */
  @func()
  async load(model: string, environment = "local", driver = "sluice"): Promise<Report> {
    return passed(await (await this.stages()).load(await this.image(model), { model, environment, driver }));
  }

  /**
   * Run every gate on one model and publish nothing. Says what each gate said; fails unless all that the environment
   * requires passed.
   * @param environment A file of policies/environments
   * @param model name@version; what the environment names when not given
   * @param database Folder of Trivy's vulnerability database
   */
  @func({ cache: "session" })
  async check(environment = "local", model?: string, database?: Directory): Promise<string> {
    return (await this.release(environment, model, database)).summary;
  }

  /**
   * Take a model from its folder to an admitted release: verify, image, inspect, scan, contract, load, admit.
   * @param environment A file of policies/environments
   * @param model name@version; what the environment names when not given
   * @param database Folder of Trivy's vulnerability database
   */
  @func({ cache: "session" })
  async release(environment = "local", model?: string, database?: Directory): Promise<Release> {
    const known = await readEnvironment(this.source, environment);
    const wanted = model ?? known.release;
    const stages = await this.stages();
    const image = await this.image(wanted);
    const reports = await stages.all(image, { model: wanted, environment, database });
    const verdict = admit(known.require, reports);
    if (verdict.kind !== "pass") {
      throw new Error(`Cannot release ${wanted}: ${explain(verdict)}\n${summarise(reports)}`);
    }
    return toRelease(image, reports, { model: wanted, environment });
  }

  /**
   * Run the whole canary in the engine: the images of stable, baseline and candidate behind HAProxy, under made-up
   * traffic, judged by the environment's policies.
   * @param environment A file of policies/environments
   * @param model name@version of the candidate; what the environment names when not given
   * @param stable name@version of stable; the environment's bootstrap when not given
   */
  @func({ cache: "never" })
  async rehearse(environment = "local", model?: string, stable?: string): Promise<Rehearsal> {
    const known = await readEnvironment(this.source, environment);
    const names = { candidate: model ?? known.release, stable: stable ?? known.bootstrap };
    const images = { candidate: await this.image(names.candidate), stable: await this.image(names.stable) };
    return toRehearsal(await (await this.stages()).rehearse(names, images, environment));
  }

  /**
   * Fetch the vulnerability database that scans look things up in.
   * @param mirror A registry's repository that has it; Trivy's own place when not given
   */
  @func({ cache: "never" })
  async database(mirror?: string): Promise<Directory> {
    return (await this.stages()).database(mirror);
  }

  /**
   * Push an admitted release: its image, and attached to it the release record, the components and a signature. Returns
   * its address by digest.
   * @param address host/repository:tag
   * @param environment A file of policies/environments
   * @param model name@version; what the environment names when not given
   * @param database Folder of Trivy's vulnerability database
   * @param username User of the registry
   * @param password The user's password or token
   * @param signingKey Private EC key in PEM that signs what was proven
   * @param registry A registry that runs in the engine and stands for the address's host
   */
  @func({ cache: "never" })
  async publish(
    address: string,
    environment = "local",
    model?: string,
    database?: Directory,
    username?: string,
    password?: Secret,
    signingKey?: Secret,
    registry?: Service,
  ): Promise<string> {
    const release = await this.release(environment, model, database);
    const stages = await this.stages();
    const reports = await readReports(release);
    const sbom = await stages.sbom(release.image);
    const { image } = release;
    const account = { username, password, registry };
    const published = { model: release.model, environment, image, reports };
    return new Registry(stages.box, address, account).publish(address, published, { sbom, signingKey });
  }

  /**
   * Make a published image the environment's: the same bytes, if its admission and trust allow it. Returns the digest.
   * @param address host/repository:tag or host/repository@sha256:…
   * @param environment A file of policies/environments
   * @param username User of the registry
   * @param password The user's password or token
   * @param registry A registry that runs in the engine and stands for the address's host
   */
  @func({ cache: "never" })
  async promote(
    address: string,
    environment: string,
    username?: string,
    password?: Secret,
    registry?: Service,
  ): Promise<string> {
    const { box } = await this.stages();
    const account = { username, password, registry };
    return (await new Registry(box, address, account).move("promote", address, environment)).digest;
  }

  /**
   * Make the image that was the environment's before its own again. Returns the digest.
   * @param address host/repository:tag of any image of the repository
   * @param environment A file of policies/environments
   * @param username User of the registry
   * @param password The user's password or token
   * @param registry A registry that runs in the engine and stands for the address's host
   */
  @func({ cache: "never" })
  async rollback(
    address: string,
    environment: string,
    username?: string,
    password?: Secret,
    registry?: Service,
  ): Promise<string> {
    const { box } = await this.stages();
    const account = { username, password, registry };
    return (await new Registry(box, address, account).move("rollback", address, environment)).digest;
  }

  /**
   * Say which image each environment has, by digest.
   * @param address host/repository:tag of any image of the repository
   * @param username User of the registry
   * @param password The user's password or token
   * @param registry A registry that runs in the engine and stands for the address's host
   */
  @func({ cache: "never" })
  async status(address: string, username?: string, password?: Secret, registry?: Service): Promise<string> {
    const { box } = await this.stages();
    const found = await new Registry(box, address, { username, password, registry }).status(address);
    return Object.entries(found)
      .map(([name, digest]) => `${name.padEnd(12)} ${digest ?? "none"}`)
      .join("\n");
  }

  /**
   * Take a model from its folder to a rehearsed release and say what happened: every gate, publication when there is an
   * address, then the canary in the engine.
   * @param environment A file of policies/environments
   * @param model name@version; what the environment names when not given
   * @param database Folder of Trivy's vulnerability database
   * @param address host/repository:tag to publish to; nothing is published when not given
   * @param username User of the registry
   * @param password The user's password or token
   * @param signingKey Private EC key in PEM that signs what was proven
   * @param registry A registry that runs in the engine and stands for the address's host
   */
  @func({ cache: "never" })
  async deploy(
    environment = "local",
    model?: string,
    database?: Directory,
    address?: string,
    username?: string,
    password?: Secret,
    signingKey?: Secret,
    registry?: Service,
  ): Promise<string> {
    const release = await this.release(environment, model, database);
    const words = [release.summary];
    if (address !== undefined) {
      const account = [username, password, signingKey, registry] as const;
      words.push(`published ${await this.publish(address, environment, model, database, ...account)}`);
    }
    const rehearsal = await this.rehearse(environment, release.model);
    words.push(...rehearsal.steps, `rehearsal ${rehearsal.status}: ${rehearsal.reason}`);
    if (rehearsal.status === "promoted") return words.join("\n");
    throw new Error(`Cannot deploy ${release.model}: its rehearsal was ${rehearsal.status}\n${words.join("\n")}`);
  }

  private async stages(): Promise<Stages> {
    const folders = { code: this.code, manifests: this.manifests, source: this.source };
    return new Stages(folders, await this.readImages());
  }

  private async readImages(): Promise<Images> {
    return parseYaml(await this.images.contents(), Images, "policies/images.yaml");
  }
}

/** The report of a gate that passed; a gate that did not fails the call. */
function passed(found: StageReport): Report {
  if (found.verdict.kind !== "pass") throw new Error(summarise([found]));
  return toReport(found);
}
