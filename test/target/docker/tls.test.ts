import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDocker } from "../../../pipeline/src/target/docker/api.ts";
import { refusalOf } from "../../conformance/refusal.ts";
import { freePorts } from "../haproxy/fixture.ts";
import { type Daemon, hasDaemon, startDaemon } from "./daemon.ts";

setDefaultTimeout(60_000);

/** Makes a certificate authority in `folder`, and a certificate of it for each of daemon and client. */
async function makeCertificates(folder: string): Promise<void> {
  const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });
  const newKey = ["-newkey", "rsa:2048", "-nodes"];
  openssl("req", "-x509", ...newKey, "-keyout", "ca-key.pem", "-out", "ca.pem", "-subj", "/CN=test", "-days", "1");
  await writeFile(join(folder, "names"), "subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n");
  openssl("req", ...newKey, "-keyout", "key.pem", "-out", "request.pem", "-subj", "/CN=one");
  const signed = ["-CA", "ca.pem", "-CAkey", "ca-key.pem", "-CAcreateserial", "-days", "1", "-extfile", "names"];
  openssl("x509", "-req", "-in", "request.pem", ...signed, "-out", "cert.pem");
}

describe.skipIf(!hasDaemon())("openDocker() over TCP", () => {
  let daemon: Daemon;
  let host: string;
  let ours: string;
  let others: string;

  beforeAll(async () => {
    ours = await mkdtemp(join(tmpdir(), "sluice-tls-"));
    others = await mkdtemp(join(tmpdir(), "sluice-tls-"));
    await Promise.all([ours, others].map(makeCertificates));
    const [port] = await freePorts();
    host = `tcp://127.0.0.1:${port}`;
    const files = Object.entries({ tlscacert: "ca.pem", tlscert: "cert.pem", tlskey: "key.pem" });
    const tls = files.flatMap(([flag, name]) => [`--${flag}`, join(ours, name)]);
    daemon = await startDaemon("--host", host, "--tlsverify", ...tls);
  });
  afterAll(async () => {
    await daemon.close();
    for (const folder of [ours, others]) await rm(folder, { recursive: true });
  });

  test("asks a daemon that knows its certificate", async () => {
    expect(await openDocker(host, ours).tell("GET", "/_ping")).toBe(200);
  });

  test("is refused by a daemon that does not", async () => {
    await refusalOf(openDocker(host, others).tell("GET", "/_ping"), "E_TOOL");
  });
});
