import { chmod, copyFile, mkdir, rename, rm, stat, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Digest } from "../spec/digest.ts";
import { DeployError } from "../spec/error.ts";
import { readJson } from "../spec/read.ts";
import { Release, releaseId } from "../spec/release.ts";
import { buildBundle, digestBundle } from "./bundle.ts";
import { digestList } from "./digest.ts";
import { verifyFolder } from "./folder.ts";
import { canonical } from "./statement.ts";

/** Where the parts of a release come from. `modules` is the `node_modules` that its native dependencies are found in. */
export interface Parts {
  modelDir: string;
  serviceDir: string;
  modules: string;
  policyDigest: Digest;
}

/**
 * Copies a release into `<releasesDir>/<id>/{bundle,model}`, named by its digests and never changed afterwards:
 * what was proven is what runs, whatever becomes of the checkout. An existing copy is proven again instead.
 */
export async function stageRelease(releasesDir: string, parts: Parts): Promise<Release> {
  await mkdir(releasesDir, { recursive: true, mode: 0o700 });
  await linkModules(releasesDir, parts.modules);
  const temporary = join(releasesDir, `.staging-${crypto.randomUUID()}`);
  try {
    const code = await buildBundle(parts.serviceDir, join(temporary, "bundle"));
    const { manifest, digest, files } = await verifyFolder(parts.modelDir);
    for (const path of ["manifest.json", ...files.map((file) => file.path)]) {
      await copyReadOnly(join(parts.modelDir, path), join(temporary, "model", path));
    }
    const signature = join(parts.modelDir, "model.sig");
    if (await exists(signature)) await copyReadOnly(signature, join(temporary, "model", "model.sig"));
    const release = describe(manifest, digest, code, parts.policyDigest);
    await writeFile(join(temporary, "release.json"), `${JSON.stringify(release, null, 2)}\n`);
    const place = join(releasesDir, release.id);
    if (await exists(place)) await proveStaged(releasesDir, release);
    else await rename(temporary, place);
    return release;
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** The staged release with this id; throws `E_FILE` when there is none. */
export function readRelease(releasesDir: string, id: string): Promise<Release> {
  return readJson(join(releasesDir, id, "release.json"), Release);
}

/** Throws `E_DIGEST` unless the staged copy of a release still is what its name says. */
export async function proveStaged(releasesDir: string, release: Release): Promise<void> {
  const place = join(releasesDir, release.id);
  if (!(await exists(place))) {
    throw new DeployError("E_STATE", `Cannot use release ${release.id}: ${place} does not exist; next: sluice deploy`);
  }
  const { manifest, digest } = await verifyFolder(join(place, "model"));
  const code = await digestBundle(join(place, "bundle"));
  const found = describe(manifest, digest, code, release.policy.digest);
  for (const [part, actual, wanted] of [
    ["model", digest, release.model.digest],
    ["bundle", code, release.code.digest],
    ["name and policy", found.id, release.id],
    ["release.json", canonical(await readRelease(releasesDir, release.id)), canonical(release)],
  ]) {
    if (actual !== wanted) {
      throw new DeployError(
        "E_DIGEST",
        `Cannot use release ${release.id}: its ${part} is ${actual}, release says ${wanted}`,
      );
    }
  }
}

function describe(model: { name: string; version: string }, digest: Digest, code: Digest, policy: Digest): Release {
  const whole = digestList([
    { path: "model", size: 0, digest },
    { path: "code", size: 0, digest: code },
    { path: "policy", size: 0, digest: policy },
  ]);
  return {
    id: releaseId(model.name, model.version, whole),
    model: { name: model.name, version: model.version, digest },
    code: { kind: "bundle", digest: code },
    policy: { digest: policy },
  };
}

async function copyReadOnly(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true, mode: 0o700 });
  await copyFile(from, to);
  await chmod(to, 0o444);
}

async function linkModules(releasesDir: string, modules: string): Promise<void> {
  const link = join(releasesDir, "node_modules");
  await rm(link, { force: true });
  await symlink(modules, link, "dir");
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
