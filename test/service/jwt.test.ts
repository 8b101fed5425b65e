import { expect, test } from "bun:test";
import { join } from "node:path";
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from "jose";
import { createJwtKeyring, JwtFile, readJwks } from "../../service/src/jwt.ts";
import { Problem } from "../../service/src/problem.ts";
import { temporaryFolder } from "../support/folder.ts";
import { sample, testService } from "../support/service-app.ts";

const now = Date.parse("2026-06-01T00:00:00Z");
const file = JwtFile.parse({
  schema: "sluice/jwt/v1",
  issuer: "https://issuer.example",
  audience: "sluice",
  algorithms: ["ES256"],
  jwks: { file: "jwks.json" },
});
const claims = { sub: "ada", iss: file.issuer, aud: "sluice", exp: now / 1000 + 60, scope: "predict openid" };

async function issuer(kid = "k1") {
  const { privateKey, publicKey } = await generateKeyPair("ES256");
  const jwk = { ...(await exportJWK(publicKey)), kid, alg: "ES256" };
  const sign = (payload: Record<string, unknown>) =>
    new SignJWT(payload).setProtectedHeader({ alg: "ES256", kid }).sign(privateKey);
  return { jwk, sign };
}

async function keyringOf(...keys: object[]) {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "jwks.json");
  await Bun.write(path, JSON.stringify({ keys }));
  const jwks = await readJwks(path);
  return createJwtKeyring(file, () => jwks);
}

test("a token of the issuer is its subject's, with the scopes that Sluice knows", async () => {
  const { jwk, sign } = await issuer();
  const keyring = await keyringOf(jwk);
  expect(await keyring.verify(await sign(claims), now)).toEqual({ id: "jwt:ada", scopes: new Set(["predict"]) });
});

test.each<[string, Record<string, unknown>]>([
  ["has expired", { ...claims, exp: now / 1000 - 1 }],
  ["never expires", { ...claims, exp: undefined }],
  ["is not valid yet", { ...claims, nbf: now / 1000 + 60 }],
  ["is of another issuer", { ...claims, iss: "https://other.example" }],
  ["is for another audience", { ...claims, aud: "other" }],
  ["has no subject", { ...claims, sub: undefined }],
])("a token that %s is refused", async (_, payload) => {
  const { jwk, sign } = await issuer();
  expect(await (await keyringOf(jwk)).verify(await sign(payload), now)).toBeUndefined();
});

test("a token of another key, without a signature, or signed with the public key as a secret is refused", async () => {
  const [ours, theirs] = [await issuer(), await issuer()];
  const keyring = await keyringOf(ours.jwk);
  expect(await keyring.verify(await theirs.sign(claims), now)).toBeUndefined();
  expect(await keyring.verify(new UnsecuredJWT(claims).encode(), now)).toBeUndefined();
  const secret = new TextEncoder().encode(JSON.stringify(ours.jwk));
  const confused = await new SignJWT(claims).setProtectedHeader({ alg: "HS256", kid: "k1" }).sign(secret);
  expect(await keyring.verify(confused, now)).toBeUndefined();
  expect(await keyring.verify("a.b.c", now)).toBeUndefined();
});

test("a token signed with an algorithm that is not listed is refused, though its key is known", async () => {
  const { privateKey, publicKey } = await generateKeyPair("ES384");
  const keyring = await keyringOf({ ...(await exportJWK(publicKey)), kid: "k1" });
  const token = await new SignJWT(claims).setProtectedHeader({ alg: "ES384", kid: "k1" }).sign(privateKey);
  expect(await keyring.verify(token, now)).toBeUndefined();
});

test("keys that cannot be had are a 503, not a refusal", async () => {
  const { sign } = await issuer();
  const keyring = createJwtKeyring(file, () => () => Promise.reject(new TypeError("fetch failed")));
  const refused = await Promise.resolve(keyring.verify(await sign(claims), now)).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(Problem);
  expect(refused).toMatchObject({ code: "credentials-unverifiable", status: 503 });
});

test("JwtFile takes only signatures with public keys, and only https", () => {
  expect(JwtFile.safeParse({ ...file, algorithms: ["HS256"] }).success).toBe(false);
  expect(JwtFile.safeParse({ ...file, algorithms: ["none"] }).success).toBe(false);
  expect(JwtFile.safeParse({ ...file, jwks: { url: "http://issuer.example/keys" } }).success).toBe(false);
});

test("predict answers a token's holder", async () => {
  const { jwk, sign } = await issuer();
  await using service = await testService({ deps: { keyring: await keyringOf(jwk), now: () => now } });
  const ask = async (payload: Record<string, unknown>) =>
    service.predict(sample, { authorization: `Bearer ${await sign(payload)}` });
  expect((await ask(claims)).status).toBe(200);
  expect((await ask({ ...claims, scope: "openid" })).status).toBe(403);
});
