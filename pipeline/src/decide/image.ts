import type { ImageConfig, ImageLimits, SandboxRun, TreeEntry } from "../spec/image.ts";
import type { Check } from "../spec/report.ts";
import type { Verdict } from "../spec/verdict.ts";
import { worst } from "./worst.ts";

/** What the image stage says. `sizes` in bytes by part of the image. */
export type ImageJudgement = { verdict: Verdict; figure: string; checks: Check[]; sizes: Record<string, number> };

/** The user that every image runs as. */
export const SERVICE_ID = 65_532;

const mib = 1 << 20;
const shells = /^\/(?:usr\/)?(?:local\/)?s?bin\/(?:sh|bash|dash|ash|zsh|ksh|csh|tcsh|fish|busybox)$/;
const managers = /^\/(?:usr\/)?(?:local\/)?s?bin\/(?:apt|apt-get|dpkg|rpm|yum|dnf|apk|npm|npx|yarn|pnpm|pip3?|bunx)$/;
const caches = /^\/(?:var\/(?:cache|lib\/apt\/lists)\/.|root\/\.(?:npm|cache|bun)\/|tmp\/.|var\/tmp\/.)/;
const secrets =
  /(?:^|\/)(?:\.npmrc|\.netrc|\.env(?:\..+)?|\.git-credentials|id_(?:rsa|ed25519|ecdsa)|keys\.json|api-key|.+\.(?:key|p12|pfx))$/;

/** Judges an image by its configuration, its root file system and a run with everything taken away. */
export function judgeImage(
  config: ImageConfig,
  tree: readonly TreeEntry[],
  run: SandboxRun,
  limits: ImageLimits,
): ImageJudgement {
  const sizes = sizesOf(tree);
  const unpacked = Object.entries(sizes).reduce((sum, [part, size]) => sum + (part === "model" ? 0 : size), 0) / mib;
  const looked = tree.filter(
    ({ path }) => !limits.excused.some((known) => path === known || path.startsWith(`${known}/`)),
  );
  const find = (test: (entry: TreeEntry) => boolean) => looked.filter(test).map(({ path }) => path);
  const checks: Check[] = [
    { name: "user", verdict: judgeUser(config.user) },
    {
      name: "not empty",
      verdict: tree.length > 0 ? pass : { kind: "error", reason: "Cannot inspect image: root file system is empty" },
    },
    none("writable paths", find(writable)),
    none(
      "setuid or setgid files",
      find(({ kind, mode }) => kind === "file" && (mode & 0o6000) !== 0),
    ),
    none(
      "shells",
      find(({ path }) => shells.test(path)),
    ),
    none(
      "package managers",
      find(({ path }) => managers.test(path)),
    ),
    none(
      "caches",
      find(({ path, kind }) => kind === "file" && caches.test(path)),
    ),
    none(
      "secrets",
      find(({ path, kind }) => kind === "file" && secrets.test(path)),
    ),
    within("unpacked MiB without the model", unpacked, limits.unpackedMiB),
    ...judgeRun(run, limits),
  ];
  const parts = Object.entries(sizes).map(([part, size]) => `${part} ${Math.round(size / mib)}`);
  return {
    verdict: worst(checks),
    figure: `${Math.round(unpacked)} MiB of ${limits.unpackedMiB} without the model (${parts.join(", ")})`,
    checks,
    sizes,
  };
}

const pass: Verdict = { kind: "pass" };

function judgeUser(user: string): Verdict {
  if (user === `${SERVICE_ID}:${SERVICE_ID}`) return pass;
  return {
    kind: "fail",
    breaches: [`image runs as ${user === "" ? "root" : user}, expected ${SERVICE_ID}:${SERVICE_ID}`],
  };
}

function judgeRun(run: SandboxRun, limits: ImageLimits): Check[] {
  const name = "runs with a read-only root, no capability, no network";
  if (run.kind === "unmeasured") return [{ name, verdict: { kind: "error", reason: run.reason } }];
  if (run.kind === "ended") {
    return [
      { name, verdict: { kind: "fail", breaches: [`it ended with ${run.exitCode} before it was ready: ${run.log}`] } },
    ];
  }
  const bare = run.uid === SERVICE_ID && /^0+$/.test(run.capabilities) && run.noNewPrivileges;
  const reason = `Cannot judge image: it ran as ${run.uid} with capabilities ${run.capabilities}`;
  return [
    { name, verdict: bare ? pass : { kind: "error", reason } },
    { name: "golden answers", verdict: judgeGolden(run) },
    within("seconds to ready", run.readyMs / 1000, limits.readySeconds),
    within("MiB of memory", run.peakMiB, limits.memoryMiB),
    within("threads", run.threads, limits.threads),
  ];
}

function judgeGolden({ cases, disagreement }: Extract<SandboxRun, { kind: "ran" }>): Verdict {
  if (disagreement !== undefined) return { kind: "fail", breaches: [disagreement] };
  return cases > 0 ? pass : { kind: "error", reason: "Cannot judge image: no golden case was answered" };
}

/** By parts that change for different reasons; a link has no size of its own. */
function sizesOf(tree: readonly TreeEntry[]): Record<string, number> {
  const sizes: Record<string, number> = { base: 0, runtime: 0, libraries: 0, code: 0, model: 0 };
  for (const { path, kind, size } of tree) {
    if (kind === "file") sizes[partOf(path)] = (sizes[partOf(path)] ?? 0) + size;
  }
  return sizes;
}

function partOf(path: string): string {
  if (!path.startsWith("/app/")) return "base";
  if (path === "/app/bun" || path === "/app/deno") return "runtime";
  if (path.startsWith("/app/node_modules/")) return "libraries";
  return path.startsWith("/app/models/") ? "model" : "code";
}

function writable({ kind, mode, uid, gid }: TreeEntry): boolean {
  if (kind === "link") return false;
  if ((mode & 0o002) !== 0) return true;
  return (uid === SERVICE_ID && (mode & 0o200) !== 0) || (gid === SERVICE_ID && (mode & 0o020) !== 0);
}

function none(name: string, paths: readonly string[]): Check {
  if (paths.length === 0) return { name: `no ${name}`, verdict: pass };
  const shown = paths.slice(0, 5).join(", ");
  const more = paths.length > 5 ? ` and ${paths.length - 5} more` : "";
  return { name: `no ${name}`, verdict: { kind: "fail", breaches: [`image has ${name}: ${shown}${more}`] } };
}

function within(name: string, found: number, limit: number): Check {
  if (found <= limit) return { name, verdict: pass };
  return { name, verdict: { kind: "fail", breaches: [`image needs ${Math.ceil(found)} ${name}, limit is ${limit}`] } };
}
