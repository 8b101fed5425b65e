import type { Digest } from "../../spec/digest.ts";
import { DeployError } from "../../spec/error.ts";
import { pullManifest } from "./blob.ts";
import { openRegistry } from "./registry.ts";

/** A short image name as Docker understands it: without a host it is on Docker Hub, without a slash in its library. */
export function expandReference(reference: string): { host: string; repository: string; tag: string } {
  const colon = reference.lastIndexOf(":");
  const [name, tag] = [reference.slice(0, colon), reference.slice(colon + 1)];
  const slash = name.indexOf("/");
  const first = name.slice(0, Math.max(slash, 0));
  if (first.includes(".") || first.includes(":") || first === "localhost") {
    return { host: first, repository: name.slice(slash + 1), tag };
  }
  return { host: "registry-1.docker.io", repository: slash < 0 ? `library/${name}` : name, tag };
}

/** The digest that a tag has now. Throws `E_TOOL` when the registry cannot be asked, `E_USAGE` when it has no such tag. */
export async function resolveTag(reference: string, { plainHttp }: { plainHttp: boolean }): Promise<Digest> {
  const { host, repository, tag } = expandReference(reference);
  const found = await pullManifest(openRegistry({ host, repository, plainHttp }), tag);
  if (found !== undefined) return found.descriptor.digest;
  throw new DeployError("E_USAGE", `Cannot lock ${reference}: ${host} has no tag ${tag} in ${repository}`);
}
