import { type Container, dag, type File, type Secret, type Service } from "@dagger.io/dagger";
import { z } from "zod";
import { Digest } from "../spec/digest.ts";
import { parseReference } from "../spec/oci.ts";
import { Promotion } from "../spec/promotion.ts";
import { Release } from "../spec/release.ts";
import type { Report } from "../spec/report.ts";
import { runSluice } from "./toolbox.ts";

/** Who speaks to a registry. `registry` stands for the address's host: one that runs in the engine itself, without TLS. */
export type Account = {
  username?: string | undefined;
  password?: Secret | undefined;
  registry?: Service | undefined;
};

const Published = z.strictObject({
  published: z.strictObject({ address: z.string(), digest: Digest, release: Release }),
});
const Promoted = z.strictObject({ promotion: Promotion });
const Status = z.strictObject({ environments: z.record(z.string(), Digest.nullable()) });

/** Commands of `sluice image` that speak to a registry. What they do there is an effect: none is ever cached. */
export class Registry {
  private readonly box: Container;
  private readonly flags: readonly string[];

  constructor(toolbox: Container, address: string, { username, password, registry }: Account) {
    const { host } = parseReference(address);
    let box = toolbox.withEnvVariable("SLUICE_RUN", crypto.randomUUID());
    if (registry !== undefined) box = box.withServiceBinding(host.replace(/:\d+$/, ""), registry);
    if (password !== undefined) box = box.withMountedSecret("/run/secrets/password", password);
    this.box = box;
    this.flags = [
      ...(registry === undefined ? [] : ["--plain-http"]),
      ...(username === undefined ? [] : ["--username", username, "--password-file", "/run/secrets/password"]),
    ];
  }

  /** Pushes the image with what was proven of it; returns its address by digest. */
  async publish(
    address: string,
    release: { model: string; environment: string; image: Container; reports: readonly Report[] },
    { sbom, signingKey }: { sbom: File; signingKey: Secret | undefined },
  ): Promise<string> {
    const reports = dag.directory().withNewFile("reports.json", JSON.stringify(release.reports)).file("reports.json");
    let box = this.box
      .withMountedFile("/image.tar", release.image.asTarball())
      .withMountedFile("/reports.json", reports)
      .withMountedFile("/sbom.cdx.json", sbom);
    if (signingKey !== undefined) box = box.withMountedSecret("/run/secrets/signing-key", signingKey);
    const argv = [
      ...["image", "publish", release.model, "--environment", release.environment, "--to", address],
      ...["--archive", "/image.tar", "--reports", "/reports.json", "--sbom", "/sbom.cdx.json"],
      ...(signingKey === undefined ? [] : ["--signing-key", "/run/secrets/signing-key"]),
    ];
    return (await runSluice(box, [...argv, ...this.flags], Published)).published.address;
  }

  /** Makes the image at `address`, or the one before it, the environment's. */
  async move(how: "promote" | "rollback", address: string, environment: string): Promise<Promotion> {
    const argv = ["image", how, address, "--environment", environment, ...this.flags];
    return (await runSluice(this.box, argv, Promoted)).promotion;
  }

  /** The digest of each environment's image; null where it has none. */
  async status(address: string): Promise<Record<string, string | null>> {
    return (await runSluice(this.box, ["image", "status", address, ...this.flags], Status)).environments;
  }
}
