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
  type Socket,
} from "@dagger.io/dagger";
import { type Inputs, imageOf, repositoryOf, stagesOf } from "./dagger/inputs.ts";
import { readEnvironment } from "./dagger/policies.ts";
import { type Release, rehearse, summarise, toRelease } from "./dagger/release.ts";
import { type Report, toReport } from "./dagger/report.ts";
import { demandPromoted, type Rollout } from "./dagger/rollout.ts";
import { Driver, Environment, Runtime } from "./dagger/words.ts";
import { admit } from "./decide/admit.ts";
import type { Report as StageReport } from "./spec/report.ts";
import { explain } from "./spec/verdict.ts";

export { Release } from "./dagger/release.ts";
export { Report, Verdict } from "./dagger/report.ts";
export { Rollout, Status } from "./dagger/rollout.ts";
export { Driver, Environment, Runtime } from "./dagger/words.ts";

@object()
export class Sluice implements Inputs {
  source: Directory;
  code: Directory;
  manifests: Directory;
  images: File;
  username: string;
  password?: Secret;
  registry?: Service;
  revision: string;
  origin: string;

  /**
   * @param source A folder with models/ and policies/; Sluice's own when not given
   * @param images The images to pull, as in policies/images.yaml
   * @param username User of the registry
   * @param password The user's password or token
   * @param registry A registry that runs in the engine and stands for an address's host
   * @param revision Commit that the source is of, for the image's label: another one is another image
   * @param origin Where the source comes from, for the image's label
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
        "!test/load/**",
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
    username = "",
    password?: Secret,
    registry?: Service,
    revision = "",
    origin = "",
  ) {
    this.source = source;
    this.code = code;
    this.manifests = manifests;
    this.images = images;
    this.username = username;
    this.revision = revision;
    this.origin = origin;
    if (password !== undefined) this.password = password;
    if (registry !== undefined) this.registry = registry;
  }

  /**
   * Prove a model folder: every file against its manifest, and the golden answers.
   * @param model name@version
   * @param environment Whose trust policy counts
   */
  @func()
  async verify(model: string, environment: Environment = Environment.Laptop): Promise<Report> {
    return passed(await (await stagesOf(this, environment)).verify(model));
  }

  /**
   * Build the service's image with one model: slim, non-root, nothing to write to.
   * @param model name@version
   * @param runtime What serves it
   */
  @func()
  async image(model: string, runtime: Runtime = Runtime.Bun): Promise<Container> {
    return imageOf(this, model, runtime);
  }

  /**
   * Is the image slim and harmless? Looks at every path, and runs it with a read-only root, no capability, no network.
   * @param model name@version
   * @param image Another image to look at than the model's
   */
  @func()
  async inspect(model: string, image?: Container): Promise<Report> {
    return passed(await (await stagesOf(this)).inspect(image ?? (await imageOf(this, model)), model));
  }

  /**
   * List what is in the image: a CycloneDX bill of materials.
   * @param model name@version
   */
  @func()
  async sbom(model: string): Promise<File> {
    return (await stagesOf(this)).sbom(await imageOf(this, model));
  }

  /**
   * Look for vulnerabilities, secrets, misconfiguration and licences, by policies/scan.yaml.
   * @param model name@version
   * @param database Folder of Trivy's vulnerability database
   * @param image Another image to look at than the model's
   */
  @func({ cache: "session" })
  async scan(model: string, database?: Directory, image?: Container): Promise<Report> {
    const stages = await stagesOf(this);
    return passed(await stages.scan(image ?? (await imageOf(this, model)), database));
  }

  /**
   * Is the image a correct Sluice service? Every answer is held against its own OpenAPI.
   * @param model name@version
   * @param environment Whose policies count
   * @param image Another image to ask than the model's
   */
  @func()
  async contract(model: string, environment: Environment = Environment.Laptop, image?: Container): Promise<Report> {
    const stages = await stagesOf(this, environment);
    return passed(await stages.contract(image ?? (await imageOf(this, model)), model));
  }

  /**
   * Is the image fast enough? Drives it at a constant rate and holds it against policies/slo.yaml.
   * @param model name@version
   * @param environment Whose load profile counts
   * @param driver What sends the requests
   * @param image Another image to drive than the model's
   */
  @func()
  async load(
    model: string,
    environment: Environment = Environment.Laptop,
    driver: Driver = Driver.K6,
    image?: Container,
  ): Promise<Report> {
    const stages = await stagesOf(this, environment);
    return passed(await stages.load(image ?? (await imageOf(this, model)), model, driver));
  }

  /**
   * Run every gate on one model and publish nothing. Says what each gate said; fails unless all that the environment
   * requires passed.
   * @param environment Whose policies count
   * @param model name@version; what the environment names when not given
   * @param database Folder of Trivy's vulnerability database
   */
  @func({ cache: "session" })
  async check(environment: Environment = Environment.Laptop, model?: string, database?: Directory): Promise<string> {
    return (await this.admit(environment, model, database)).summary;
  }

  /**
   * Take a model through every gate and admit it: gives the release, to publish or to rehearse.
   * @param environment Whose policies count
   * @param model name@version; what the environment names when not given
   * @param database Folder of Trivy's vulnerability database
   */
  @func({ cache: "session" })
  async admit(environment: Environment = Environment.Laptop, model?: string, database?: Directory): Promise<Release> {
    const known = await readEnvironment(this.source, environment);
    const wanted = model ?? known.release;
    const image = await imageOf(this, wanted);
    const reports = await (await stagesOf(this, environment)).all(image, wanted, database);
    const verdict = admit(known.require, reports);
    if (verdict.kind === "pass") return toRelease(image, reports, { model: wanted, environment, inputs: this });
    throw new Error(`Cannot admit ${wanted} to ${environment}: ${explain(verdict)}\n${summarise(reports)}`);
  }

  /**
   * Run the whole canary in the engine: the images of stable, baseline and candidate behind HAProxy, under made-up
   * traffic, judged by the environment's policies.
   * @param environment Whose policies count
   * @param model name@version of the candidate; what the environment names when not given
   * @param stable name@version of stable; the environment's bootstrap when not given
   */
  @func({ cache: "never" })
  async rehearse(environment: Environment = Environment.Laptop, model?: string, stable?: string): Promise<Rollout> {
    const candidate = model ?? (await readEnvironment(this.source, environment)).release;
    const image = await imageOf(this, candidate);
    return rehearse(this, environment, { candidate, image, stable });
  }

  /**
   * Fetch the vulnerability database that scans look things up in.
   * @param mirror A registry's repository that has it; Trivy's own place when not given
   */
  @func({ cache: "never" })
  async database(mirror?: string): Promise<Directory> {
    return (await stagesOf(this)).database(mirror, this.registry);
  }

  /**
   * Take a model through every gate and push it: its image, and attached to it the release record, the components and a
   * signature. Returns its address by digest.
   * @param address host/repository:tag
   * @param environment Whose policies count
   * @param model name@version; what the environment names when not given
   * @param database Folder of Trivy's vulnerability database
   * @param signingKey Private EC key in PEM that signs what was proven
   */
  @func({ cache: "never" })
  async publish(
    address: string,
    environment: Environment = Environment.Laptop,
    model?: string,
    database?: Directory,
    signingKey?: Secret,
  ): Promise<string> {
    return (await this.admit(environment, model, database)).publish(address, signingKey);
  }

  /**
   * Make a published image the environment's: the same bytes, if its admission and trust allow it. Returns the digest.
   * @param address host/repository:tag or host/repository@sha256:…
   * @param environment Whose it becomes
   */
  @func({ cache: "never" })
  async promote(address: string, environment: Environment): Promise<string> {
    return (await repositoryOf(this, address, environment)).move("promote");
  }

  /**
   * Make the image that was the environment's before its own again. Returns the digest.
   * @param address host/repository:tag of any image of the repository
   * @param environment Whose image goes back
   */
  @func({ cache: "never" })
  async rollback(address: string, environment: Environment): Promise<string> {
    return (await repositoryOf(this, address, environment)).move("rollback");
  }

  /**
   * Say which image each environment has, by digest.
   * @param address host/repository:tag of any image of the repository
   */
  @func({ cache: "never" })
  async status(address: string): Promise<string> {
    return (await repositoryOf(this, address)).status();
  }

  /**
   * Let traffic in on a published image that runs already behind the environment's router, step by step, and make it the
   * environment's.
   * @param address host/repository:tag or host/repository@sha256:…
   * @param environment Where it goes
   * @param key API key of scopes predict and read
   * @param site Where clients come, when the environment's own address is not reached from here
   * @param router HAProxy's admin socket, when its address is not reached from here
   * @param override Begin in a freeze window or a cooldown: why
   * @param overrideBudget Begin although the error budget is spent: why
   */
  @func({ cache: "never" })
  async rollOut(
    address: string,
    environment: Environment,
    key: Secret,
    site?: Service,
    router?: Socket,
    override?: string,
    overrideBudget?: string,
  ): Promise<Rollout> {
    const repository = await repositoryOf(this, address, environment);
    return repository.deploy({ key, site, router, override, overrideBudget });
  }

  /**
   * Take a model from its folder to live traffic: every gate, publication, the canary rehearsed in the engine, then the
   * canary on the environment's own servers. Without an address it ends with the rehearsal.
   * @param environment Where it goes
   * @param model name@version; what the environment names when not given
   * @param database Folder of Trivy's vulnerability database
   * @param address host/repository:tag to publish to
   * @param signingKey Private EC key in PEM that signs what was proven
   * @param key API key of scopes predict and read of the environment's servers
   * @param site Where clients come, when the environment's own address is not reached from here
   * @param router HAProxy's admin socket, when its address is not reached from here
   * @param override Begin in a freeze window or a cooldown: why
   * @param overrideBudget Begin although the error budget is spent: why
   */
  @func({ cache: "never" })
  async deploy(
    environment: Environment = Environment.Laptop,
    model?: string,
    database?: Directory,
    address?: string,
    signingKey?: Secret,
    key?: Secret,
    site?: Service,
    router?: Socket,
    override?: string,
    overrideBudget?: string,
  ): Promise<string> {
    const { isReached } = await readEnvironment(this.source, environment);
    if (isReached && (address === undefined || key === undefined)) {
      throw new Error(`Cannot deploy to ${environment}: its servers run published images; next: --address and --key`);
    }
    const release = await this.admit(environment, model, database);
    const words = [release.summary];
    const published = address === undefined ? undefined : await release.publish(address, signingKey);
    if (published !== undefined) words.push(`published ${published}`);
    words.push(demandPromoted(await release.rehearse(), "rehearsal"));
    if (isReached && published !== undefined && key !== undefined) {
      const rollout = await this.rollOut(published, environment, key, site, router, override, overrideBudget);
      words.push(demandPromoted(rollout, "rollout"));
    } else {
      words.push(`next: sluice deploy ${release.model} --environment ${environment}`);
    }
    return words.join("\n");
  }
}

/** The report of a gate that passed; a gate that did not fails the call. */
function passed(found: StageReport): Report {
  if (found.verdict.kind !== "pass") throw new Error(summarise([found]));
  return toReport(found);
}
