import { describe, expect, test } from "bun:test";
import { judgeImage } from "../../pipeline/src/decide/image.ts";
import type { ImageConfig, ImageLimits, SandboxRun, TreeEntry } from "../../pipeline/src/spec/image.ts";
import { explain } from "../../pipeline/src/spec/verdict.ts";

const config: ImageConfig = { user: "65532:65532", argv: ["/app/bun"], env: {}, workdir: "/app" };
const limits: ImageLimits = {
  unpackedMiB: 200,
  memoryMiB: 512,
  threads: 64,
  readySeconds: 10,
  tmpfs: [],
  excused: ["/tmp", "/home/nonroot"],
};

function anEntry(change: Partial<TreeEntry> = {}): TreeEntry {
  return { path: "/app/main.js", kind: "file", mode: 0o444, uid: 0, gid: 0, size: 1000, ...change };
}

function aRun(change: Partial<Extract<SandboxRun, { kind: "ran" }>> = {}): SandboxRun {
  return {
    kind: "ran",
    readyMs: 500,
    cases: 46,
    peakMiB: 140,
    threads: 10,
    uid: 65_532,
    capabilities: "0000000000000000",
    noNewPrivileges: true,
    isConfined: true,
    ...change,
  };
}

test("judgeImage() passes a bare image and says its size by part", () => {
  const tree = [
    anEntry({ path: "/usr/lib/libc.so.6", size: 20 << 20 }),
    anEntry({ path: "/app/bun", size: 100 << 20, mode: 0o555 }),
    anEntry({ path: "/app/models/magika/3.3.0/model.onnx", size: 900 << 20 }),
  ];
  const { verdict, figure } = judgeImage(config, tree, aRun(), limits);
  expect(verdict).toEqual({ kind: "pass" });
  expect(figure).toBe("120 MiB of 200 without the model (base 20, runtime 100, libraries 0, code 0, model 900)");
});

describe("judgeImage() fails on", () => {
  test.each([
    ["a file that everybody may write", anEntry({ mode: 0o666 }), "writable paths: /app/main.js"],
    ["a file of the service's user", anEntry({ uid: 65_532, mode: 0o644 }), "writable paths"],
    ["a folder of the service's group", anEntry({ kind: "folder", gid: 65_532, mode: 0o775 }), "writable paths"],
    ["a setuid file", anEntry({ path: "/usr/bin/su", mode: 0o4755 }), "setuid or setgid files: /usr/bin/su"],
    ["a setgid file", anEntry({ path: "/usr/bin/wall", mode: 0o2755 }), "setuid or setgid"],
    ["a shell", anEntry({ path: "/bin/sh", kind: "link" }), "shells: /bin/sh"],
    ["busybox", anEntry({ path: "/usr/bin/busybox" }), "shells"],
    ["a package manager", anEntry({ path: "/usr/local/bin/npm" }), "package managers"],
    ["a cache", anEntry({ path: "/var/lib/apt/lists/x" }), "caches"],
    ["a package manager's cache", anEntry({ path: "/root/.npm/x" }), "caches"],
    ["a secret", anEntry({ path: "/app/.npmrc" }), "secrets"],
    ["a private key", anEntry({ path: "/home/nonroot2/id_ed25519" }), "secrets"],
    ["too much", anEntry({ size: 201 << 20 }), "needs 201 unpacked MiB without the model, limit is 200"],
  ] as const)("%s", (_, entry, words) => {
    const { verdict } = judgeImage(config, [entry], aRun(), limits);
    expect(verdict.kind).toBe("fail");
    expect(explain(verdict)).toContain(words);
  });

  test.each([
    ["root", { user: "" }, "runs as root"],
    ["another user", { user: "1000:1000" }, "runs as 1000:1000"],
  ] as const)("%s", (_, change, words) => {
    expect(explain(judgeImage({ ...config, ...change }, [anEntry()], aRun(), limits).verdict)).toContain(words);
  });

  test.each([
    [
      "a service that needs more",
      { kind: "ended", exitCode: 1, log: "EROFS" } as const,
      "ended with 1 before it was ready: EROFS",
    ],
    ["a wrong golden answer", aRun({ disagreement: "golden case pdf: label" }), "golden case pdf"],
    ["too much memory", aRun({ peakMiB: 600 }), "600 MiB of memory, limit is 512"],
    ["a peak that is no number", aRun({ peakMiB: Number.NaN }), "MiB of memory"],
    ["too many threads", aRun({ threads: 65 }), "65 threads"],
    ["a slow start", aRun({ readyMs: 11_000 }), "11 seconds to ready"],
  ] as const)("%s", (_, run, words) => {
    const { verdict } = judgeImage(config, [anEntry()], run, limits);
    expect(verdict.kind).toBe("fail");
    expect(explain(verdict)).toContain(words);
  });
});

describe("judgeImage() calls it an error", () => {
  test.each([
    ["no sandbox", [anEntry()], { kind: "unmeasured", reason: "bwrap is not on the PATH" } as const],
    ["an empty image", [], aRun()],
    ["no golden case", [anEntry()], aRun({ cases: 0 })],
    ["a run as root", [anEntry()], aRun({ uid: 0 })],
    ["a run with a capability", [anEntry()], aRun({ capabilities: "0000000000000400" })],
    ["a run that could gain privileges", [anEntry()], aRun({ noNewPrivileges: false })],
  ] as const)("%s", (_, tree, run) => {
    expect(judgeImage(config, tree, run, limits).verdict.kind).toBe("error");
  });
});

test("judgeImage() excuses what the policy names, and nothing beside it", () => {
  const excused = anEntry({ path: "/tmp", kind: "folder", mode: 0o1777 });
  expect(judgeImage(config, [excused], aRun(), limits).verdict.kind).toBe("pass");
  expect(judgeImage(config, [{ ...excused, path: "/tmp2" }], aRun(), limits).verdict.kind).toBe("fail");
});

test("judgeImage() does not count a link's mode as writable", () => {
  expect(judgeImage(config, [anEntry({ kind: "link", mode: 0o777 })], aRun(), limits).verdict.kind).toBe("pass");
});
