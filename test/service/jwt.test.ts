import { expect, setDefaultTimeout, test } from "bun:test";
import { createHmac, generateKeyPairSync, type KeyObject, sign as signBytes } from "node:crypto";
import { join } from "node:path";
import { writeKeys } from "../../pipeline/src/release/key.ts";
import { openAccess } from "../../service/src/access.ts";
import { createJwtKeyring, fetchJwks, JwtFile, readJwks } from "../../service/src/jwt.ts";
import { Problem } from "../../service/src/problem.ts";
import { temporaryFolder } from "../support/folder.ts";
import { serve } from "../support/server.ts";
import { patience, sample, testService, until } from "../support/service-app.ts";

setDefaultTimeout(patience);

const now = Date.parse("2026-06-01T00:00:00Z");
const file = JwtFile.parse({
  schema: "sluice/jwt/v1",
  issuer: "https://issuer.example",
  audience: "sluice",
  algorithms: ["ES256"],
  jwks: { file: "jwks.json" },
});
const claims = { sub: "ada", iss: file.issuer, aud: "sluice", exp: now / 1000 + 60, scope: "predict openid" };

type Claims = Record<string, unknown>;

/** A JWT by hand, so that what checks it is not what made it. */
function tokenOf(header: object, payload: Claims, key?: KeyObject, hash = "sha256"): string {
  const text = [header, payload].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
  const options = { dsaEncoding: "ieee-p1363" } as const;
  const signature =
    key === undefined ? "" : signBytes(hash, Buffer.from(text), { key, ...options }).toString("base64url");
  return `${text}.${signature}`;
}

function issuer(kid = "k1", curve: "P-256" | "P-384" = "P-256") {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: curve });
  const [alg, hash] = curve === "P-256" ? ["ES256", "sha256"] : ["ES384", "sha384"];
  const jwk = { ...publicKey.export({ format: "jwk" }), kid };
  return { jwk, sign: (payload: Claims) => tokenOf({ alg, kid }, payload, privateKey, hash) };
}

async function jwksOf(...keys: object[]) {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "jwks.json");
  await Bun.write(path, JSON.stringify({ keys }));
  return await readJwks(path);
}

async function keyringOf(...keys: object[]) {
  const jwks = await jwksOf(...keys);
  return createJwtKeyring(file, () => jwks);
}

test("a token of the issuer is its subject's, with the scopes that Sluice knows", async () => {
  const { jwk, sign } = issuer();
  const keyring = await keyringOf(jwk);
  expect(await keyring.verify(sign(claims), now)).toEqual({ id: "jwt:ada", scopes: new Set(["predict"]) });
});

test.each<[string, Claims]>([
  ["has expired", { ...claims, exp: now / 1000 - 1 }],
  ["never expires", { ...claims, exp: undefined }],
  ["is not valid yet", { ...claims, nbf: now / 1000 + 60 }],
  ["is of another issuer", { ...claims, iss: "https://other.example" }],
  ["is for another audience", { ...claims, aud: "other" }],
  ["has no subject", { ...claims, sub: undefined }],
])("a token that %s is refused", async (_, payload) => {
  const { jwk, sign } = issuer();
  expect(await (await keyringOf(jwk)).verify(sign(payload), now)).toBeUndefined();
});

test("a token of another key, without a signature, or signed with the public key as a secret is refused", async () => {
  const [ours, theirs] = [issuer(), issuer()];
  const keyring = await keyringOf(ours.jwk);
  expect(await keyring.verify(theirs.sign(claims), now)).toBeUndefined();
  expect(await keyring.verify(tokenOf({ alg: "none" }, claims), now)).toBeUndefined();
  const [head = "", body = ""] = tokenOf({ alg: "HS256", kid: "k1" }, claims).split(".");
  const confused = `${head}.${body}.${createHmac("sha256", JSON.stringify(ours.jwk)).update(`${head}.${body}`).digest("base64url")}`;
  expect(await keyring.verify(confused, now)).toBeUndefined();
  expect(await keyring.verify("a.b.c", now)).toBeUndefined();
});

test("a token signed with an algorithm that is not listed is refused, though its key is known", async () => {
  const { jwk, sign } = issuer("k1", "P-384");
  const token = sign(claims);
  const keyring = await keyringOf(jwk);
  expect(await keyring.verify(token, now)).toBeUndefined();
  const jwks = await jwksOf(jwk);
  const listed = createJwtKeyring({ ...file, algorithms: ["ES384"] }, () => jwks);
  expect(await listed.verify(token, now)).toBeDefined();
});

test("keys that cannot be had are a 503, not a refusal", async () => {
  const { sign } = issuer();
  const keyring = createJwtKeyring(file, () => () => Promise.reject(new TypeError("fetch failed")));
  const refused = await Promise.resolve(keyring.verify(sign(claims), now)).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(Problem);
  expect(refused).toMatchObject({ code: "credentials-unverifiable", status: 503 });
});

test("keys behind an address are asked for once, and again for a key id that is new", async () => {
  const [first, second] = [issuer("k1"), issuer("k2")];
  let keys = [first.jwk];
  const server = serve(() => Response.json({ keys }));
  const jwks = fetchJwks(server.url, { cooldownMs: 0 });
  const keyring = createJwtKeyring(file, () => jwks);
  for (const _ of ["first", "again"]) expect(await keyring.verify(first.sign(claims), now)).toBeDefined();
  expect(server.seen()).toBe(1);
  keys = [second.jwk];
  expect(await keyring.verify(second.sign(claims), now)).toBeDefined();
  expect(await keyring.verify(first.sign(claims), now)).toBeUndefined();
  await server.stop();
});

test("made-up key ids make the service ask the issuer once, not each time", async () => {
  const known = issuer("k1");
  const server = serve(() => Response.json({ keys: [known.jwk] }));
  const jwks = fetchJwks(server.url);
  const keyring = createJwtKeyring(file, () => jwks);
  for (let i = 0; i < 10; i += 1) expect(await keyring.verify(issuer(`x${i}`).sign(claims), now)).toBeUndefined();
  expect(server.seen()).toBe(1);
  await server.stop();
});

test("a JWKS file that changes is taken up, without a restart", async () => {
  await using folder = await temporaryFolder();
  const [jwt, jwks, keys] = ["jwt.json", "jwks.json", "keys.json"].map((name) => join(folder.path, name));
  if (jwt === undefined || jwks === undefined || keys === undefined) throw new Error("There are no paths");
  const [first, second] = [issuer("k1"), issuer("k2")];
  await writeKeys(keys, { schema: "sluice/keys/v1", keys: [] });
  await Bun.write(jwks, JSON.stringify({ keys: [first.jwk] }));
  await Bun.write(jwt, JSON.stringify({ ...file, jwks: { file: jwks } }));
  const access = await openAccess({ keys, jwt }, { write: () => undefined });
  const isBelieved = async ({ sign }: typeof first) => (await access.keyring.verify(sign(claims), now)) !== undefined;
  expect([await isBelieved(first), await isBelieved(second)]).toEqual([true, false]);
  await Bun.write(jwks, JSON.stringify({ keys: [second.jwk] }));
  await until(() => isBelieved(second));
  expect(await isBelieved(first)).toBe(false);
  access.stop();
});

test("JwtFile takes only signatures with public keys, and only https", () => {
  expect(JwtFile.safeParse({ ...file, algorithms: ["HS256"] }).success).toBe(false);
  expect(JwtFile.safeParse({ ...file, algorithms: ["none"] }).success).toBe(false);
  expect(JwtFile.safeParse({ ...file, jwks: { url: "http://issuer.example/keys" } }).success).toBe(false);
});

test("predict answers a token's holder", async () => {
  const { jwk, sign } = issuer();
  await using service = await testService({ deps: { keyring: await keyringOf(jwk), now: () => now } });
  const ask = async (payload: Claims) => service.predict(sample, { authorization: `Bearer ${sign(payload)}` });
  expect((await ask(claims)).status).toBe(200);
  expect((await ask({ ...claims, scope: "openid" })).status).toBe(403);
});
