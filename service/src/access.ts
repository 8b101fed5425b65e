import { KeyFile } from "../../pipeline/src/spec/keys.ts";
import { readJson } from "../../pipeline/src/spec/read.ts";
import { createJwtKeyring, fetchJwks, JwtFile, readJwks } from "./jwt.ts";
import { createKeyring, joinKeyrings, type Keyring } from "./keyring.ts";
import type { Log } from "./log.ts";
import { type Watched, watchFile } from "./watched.ts";

/** Everybody who may ask, as the files say now. */
export type Access = { keyring: Keyring; stop(): void };

const everyMs = 1_000;

/** Opens the key file, and the JWT file where there is one; both keys and JWKS are taken up again when they change. */
export async function openAccess(paths: { keys: string; jwt: string | undefined }, log: Log): Promise<Access> {
  const watch = <T>(path: string, read: (path: string) => Promise<T>): Promise<Watched<T>> =>
    watchFile(path, read, { everyMs, onReload: (error) => report(log, path, error) });
  const keys = await watch(paths.keys, async (path) => createKeyring(await readJson(path, KeyFile)));
  const keyring: Keyring = { verify: (token, now) => keys.current.verify(token, now) };
  if (paths.jwt === undefined) return { keyring, stop: () => keys.stop() };
  const file = await readJson(paths.jwt, JwtFile);
  if ("url" in file.jwks) {
    const jwks = fetchJwks(file.jwks.url);
    return { keyring: joinKeyrings([keyring, createJwtKeyring(file, () => jwks)]), stop: () => keys.stop() };
  }
  const jwks = await watch(file.jwks.file, readJwks);
  const stop = () => {
    keys.stop();
    jwks.stop();
  };
  return { keyring: joinKeyrings([keyring, createJwtKeyring(file, () => jwks.current)]), stop };
}

function report(log: Log, path: string, error: unknown): void {
  const cause = error instanceof Error ? error.message : error;
  if (error === undefined) log.write({ level: "info", message: "reloaded", path });
  else log.write({ level: "warn", message: "not reloaded: the former keys stay", path, cause });
}
