import {
  CacheSharingMode,
  type Container,
  dag,
  type File,
  type Secret,
  type Service,
  type Socket,
} from "@dagger.io/dagger";
import { z } from "zod";
import { Digest } from "../spec/digest.ts";
import { parseReference } from "../spec/oci.ts";
import { Promotion } from "../spec/promotion.ts";
import { Release } from "../spec/release.ts";
import type { Report } from "../spec/report.ts";
import type { Rollout } from "./rollout.ts";
import { rolled } from "./stages.ts";
import { anew, hostOf, runSluice } from "./toolbox.ts";

/** Who speaks to a registry, for which environment. `registry` stands for the address's host: one in the engine, without TLS. */
export type Account = {
  username: string;
  password: Secret | undefined;
  registry: Service | undefined;
  environment: string;
};

/** How the engine reaches an environment: what is not given is reached as its file says. */
export type Way = {
  key: Secret;
  site: Service | undefined;
  router: Socket | undefined;
  override: string | undefined;
  overrideBudget: string | undefined;
};

const Published = z.strictObject({
  published: z.strictObject({ address: z.string(), digest: Digest, release: Release }),
});
const Promoted = z.strictObject({ promotion: Promotion });
const Status = z.strictObject({ environments: z.record(z.string(), Digest.nullable()) });

/** Commands of `sluice image` on one repository. What they do there is an effect: none is ever cached. */
export class Registry {
  private readonly box: Container;
  private readonly address: string;
  private readonly flags: readonly string[];
  private readonly environment: string;

  constructor(toolbox: Container, address: string, { username, password, registry, environment }: Account) {
    let box = anew(toolbox);
    if (registry !== undefined) box = box.withServiceBinding(hostOf(address), registry);
    if (password !== undefined) box = box.withMountedSecret("/run/secrets/password", password);
    this.box = box;
    this.address = address;
    this.environment = environment;
    this.flags = [
      ...["--environment", environment],
      ...(registry === undefined ? [] : ["--plain-http"]),
      ...(password === undefined ? [] : ["--username", username, "--password-file", "/run/secrets/password"]),
    ];
  }

  /** Pushes the image with what was proven of it; returns its address by digest. */
  async publish(
    release: { model: string; image: Container; reports: readonly Report[] },
    { sbom, signingKey }: { sbom: File; signingKey: Secret | undefined },
  ): Promise<string> {
    const reports = dag.directory().withNewFile("reports.json", JSON.stringify(release.reports)).file("reports.json");
    let box = this.box
      .withMountedFile("/image.tar", release.image.asTarball())
      .withMountedFile("/reports.json", reports)
      .withMountedFile("/sbom.cdx.json", sbom);
    if (signingKey !== undefined) box = box.withMountedSecret("/run/secrets/signing-key", signingKey);
    const argv = [
      ...["image", "publish", release.model, "--to", this.address],
      ...["--archive", "/image.tar", "--reports", "/reports.json", "--sbom", "/sbom.cdx.json"],
      ...(signingKey === undefined ? [] : ["--signing-key", "/run/secrets/signing-key"]),
    ];
    return (await runSluice(box, [...argv, ...this.flags], Published)).document.published.address;
  }

  /** Makes the image of the address, or the one before the environment's, the environment's own; returns its digest. */
  async move(how: "promote" | "rollback"): Promise<string> {
    const { document } = await runSluice(this.box, ["image", how, this.address, ...this.flags], Promoted);
    return document.promotion.digest;
  }

  /** A line for each environment with its image's digest. */
  async status(): Promise<string> {
    const { document } = await runSluice(this.box, ["image", "status", this.address, ...this.flags], Status);
    return Object.entries(document.environments)
      .map(([name, digest]) => `${name.padEnd(12)} ${digest ?? "none"}`)
      .join("\n");
  }

  /** Lets traffic in on the image of the address. Journal and lease stay in the engine: a call that was cut short goes on. */
  async deploy({ key, site, router, override, overrideBudget }: Way): Promise<Rollout> {
    const volume = dag.cacheVolume(`sluice-state-${parseReference(this.address).repository}-${this.environment}`);
    let box = this.box
      .withMountedSecret("/run/secrets/key", key)
      .withMountedCache("/state", volume, { sharing: CacheSharingMode.Locked });
    const argv = ["image", "deploy", this.address, "--key-file", "/run/secrets/key", "--state", "/state"];
    if (site !== undefined) {
      box = box.withServiceBinding("site", site);
      argv.push("--site", `http://site:${await portOf(site)}`);
    }
    if (router !== undefined) {
      box = box.withUnixSocket("/run/haproxy.sock", router);
      argv.push("--control", "/run/haproxy.sock");
    }
    if (override !== undefined) argv.push("--override", override);
    if (overrideBudget !== undefined) argv.push("--override-budget", overrideBudget);
    return rolled(box, [...argv, ...this.flags]);
  }
}

async function portOf(service: Service): Promise<number> {
  const [port] = await service.ports();
  return port === undefined ? 80 : port.port();
}
