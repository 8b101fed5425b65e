import { chmod, copyFile, mkdir, readdir, rename, rm, stat, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Digest } from "../spec/digest.ts";
import { DeployError } from "../spec/error.ts";
import type { ListedFile } from "../spec/manifest.ts";
import { readJson } from "../spec/read.ts";
import { type ImageCode, Release, type ReleaseFiles, releaseId } from "../spec/release.ts";
import { buildBundle } from "./bundle.ts";
import { digestList } from "./digest.ts";
import { verifyFolder } from "./folder.ts";
import { summarise } from "./listed.ts";
import { comparePart } from "./parts.ts";
import { canonical } from "./statement.ts";

/**
 * Where the parts of a release come from. `modules` is the `node_modules` that its native dependencies are found in;
 * with `image`, that is the code, and no bundle is made.
 */
export interface Parts {
  modelDir: string;
  serviceDir: string;
  modules: string;
  policies: { dir: string; files: ListedFile[] };
  image?: ImageCode | undefined;
}

/** What may lie in a staged release. */
const known = ["model", "bundle", "policies", "files.json", "release.json", "record.json", "attestation.json"];
/** What a run that was killed while it wrote such a file may leave. */
const leftOver = /\.tmp$/;

/**
 * Copies a release into `<releasesDir>/<id>/{bundle,model,policies}`, named by its digests and never changed afterwards:
 * what was proven is what runs, whatever becomes of the checkout. An existing copy is proven again instead.
 */
export async function stageRelease(releasesDir: string, parts: Parts): Promise<Release> {
  await mkdir(releasesDir, { recursive: true, mode: 0o700 });
  await linkModules(releasesDir, parts.modules);
  const temporary = join(releasesDir, `.staging-${crypto.randomUUID()}`);
  try {
    const release = await layDown(temporary, parts);
    const place = join(releasesDir, release.id);
    if (await exists(place)) await proveStaged(releasesDir, release);
    else await rename(temporary, place);
    return release;
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

async function layDown(place: string, { modelDir, serviceDir, policies, image }: Parts): Promise<Release> {
  const bundle = image === undefined ? await buildBundle(serviceDir, join(place, "bundle")) : [];
  const { manifest, digest, files } = await verifyFolder(modelDir);
  for (const path of ["manifest.json", ...files.map((file) => file.path)]) {
    await copyReadOnly(join(modelDir, path), join(place, "model", path));
  }
  const signature = join(modelDir, "model.sig");
  if (await exists(signature)) await copyReadOnly(signature, join(place, "model", "model.sig"));
  for (const { path } of policies.files) {
    await copyReadOnly(join(policies.dir, path), join(place, "policies", path));
  }
  const lists: ReleaseFiles = { schema: "sluice/release-files/v1", bundle, policies: policies.files };
  await writeFile(join(place, "files.json"), `${JSON.stringify(lists, null, 2)}\n`);
  const code = image ?? { kind: "bundle", digest: digestList(bundle) };
  const release = describe(manifest, digest, code, digestList(policies.files));
  await writeFile(join(place, "release.json"), `${JSON.stringify(release, null, 2)}\n`);
  return release;
}

/** The staged release with this id; throws `E_FILE` when there is none. */
export function readRelease(releasesDir: string, id: string): Promise<Release> {
  return readJson(join(releasesDir, id, "release.json"), Release);
}

/** Throws `E_DIGEST` naming each file unless the staged copy of a release still is what its name says. */
export async function proveStaged(releasesDir: string, release: Release): Promise<void> {
  const place = join(releasesDir, release.id);
  if (!(await exists(place))) {
    throw new DeployError("E_STATE", `Cannot use release ${release.id}: ${place} does not exist; next: sluice deploy`);
  }
  proveRelease(await readRelease(releasesDir, release.id), release);
  const { digest } = await verifyFolder(join(place, "model"));
  const differences = [
    // An image is not in this folder: who starts it proves it.
    ...(release.code.kind === "bundle" ? await comparePart(place, "bundle", release) : []),
    ...(await comparePart(place, "policies", release)),
    ...(await readdir(place)).filter(isUnknown).map((name) => `${name}: file is extra, no release has it`),
  ];
  if (digest !== release.model.digest) {
    const words = `with the files it lists its digest is ${digest}, release says ${release.model.digest}`;
    differences.push(`model/manifest.json: ${words}`);
  }
  if (differences.length > 0) throw refused(release.id, summarise(differences));
}

/** `staged` is what `release.json` says, `release` what a record or a journal says. */
function proveRelease(staged: Release, release: Release): void {
  if (canonical(staged) !== canonical(release)) {
    throw refused(release.id, `release.json says ${canonical(staged)}, record.json or journal ${canonical(release)}`);
  }
  const id = idOf(release.model, release.model.digest, release.code.digest, release.policy.digest);
  if (id !== release.id) throw refused(release.id, `release.json: its digests are those of ${id}`);
}

function refused(id: string, state: string): DeployError {
  return new DeployError("E_DIGEST", `Cannot use release ${id}: ${state}`);
}

function isUnknown(name: string): boolean {
  return !known.includes(name) && !leftOver.test(name);
}

function describe(
  model: { name: string; version: string },
  digest: Digest,
  code: Release["code"],
  policy: Digest,
): Release {
  return {
    id: idOf(model, digest, code.digest, policy),
    model: { name: model.name, version: model.version, digest },
    code,
    policy: { digest: policy },
  };
}

function idOf({ name, version }: { name: string; version: string }, digest: Digest, code: Digest, policy: Digest) {
  const parts = { model: digest, code, policy };
  const whole = digestList(Object.entries(parts).map(([path, part]) => ({ path, size: 0, digest: part })));
  return releaseId(name, version, whole);
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
