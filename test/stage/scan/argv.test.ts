import { expect, test } from "bun:test";
import { join } from "node:path";
import { readYaml } from "../../../pipeline/src/spec/read.ts";
import { ScanPolicy } from "../../../pipeline/src/spec/scan.ts";
import { databaseArgv, sbomArgv, scanArgv } from "../../../pipeline/src/stage/scan/argv.ts";

const policy = await readYaml(join(import.meta.dirname, "../../../policies/scan.yaml"), ScanPolicy);
const options = { output: "/out.json", cache: "/cache" };

test("scanArgv() of a source skips what the policy names, and fetches nothing", () => {
  const argv = scanArgv({ kind: "source", path: "/src" }, { ...policy, skip: [".git", "test"] }, options);
  expect(argv[0]).toBe("filesystem");
  expect(argv.slice(-5)).toEqual(["--skip-dirs", ".git", "--skip-dirs", "test", "/src"]);
  for (const flag of ["--offline-scan", "--skip-db-update", "--skip-java-db-update", "--skip-check-update"]) {
    expect(argv).toContain(flag);
  }
  expect(argv).toContain("UNKNOWN,LOW,MEDIUM,HIGH,CRITICAL");
});

test("scanArgv() of an image reads an archive, whole", () => {
  const argv = scanArgv({ kind: "image", path: "/image.tar" }, policy, options);
  expect(argv[0]).toBe("image");
  expect(argv.slice(-2)).toEqual(["--input", "/image.tar"]);
  expect(argv).not.toContain("--skip-dirs");
});

test("scanArgv() fetches a newer database from the mirror when the policy says so", () => {
  const database = { maxAgeHours: 1, update: true, mirror: "r.example/trivy-db:2" };
  const argv = scanArgv({ kind: "rootfs", path: "/root" }, { ...policy, database }, options);
  expect(argv).not.toContain("--skip-db-update");
  expect(argv[argv.indexOf("--db-repository") + 1]).toBe("r.example/trivy-db:2");
});

test("sbomArgv() asks for CycloneDX, databaseArgv() for the database alone", () => {
  expect(sbomArgv({ kind: "image", path: "/i.tar" }, policy, options).join(" ")).toContain("--format cyclonedx");
  expect(databaseArgv("/cache")).toContain("--download-db-only");
  expect(databaseArgv("/cache", { mirror: "r.example/db:2" }).slice(-2)).toEqual(["--db-repository", "r.example/db:2"]);
  expect(databaseArgv("/cache", { mirror: "r.example/db:2", plainHttp: true })).toContain("--insecure");
});
