import { beforeAll, describe, expect, test } from "bun:test";
import { generateKeyPairSync } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { inShards } from "../../../pipeline/src/release/oms/resources.ts";
import { type SignOptions, signModel } from "../../../pipeline/src/release/oms/sign.ts";
import { DeployError } from "../../../pipeline/src/spec/error.ts";
import { SignatureBundle, SignedModel } from "../../../pipeline/src/spec/oms.ts";
import { parseJson } from "../../../pipeline/src/spec/read.ts";
import { aFolder } from "../folder-fixture.ts";

/**
 * The specification's own JSON Schemas and test vectors, where SLUICE_OMS_SPEC names a checkout of
 * https://github.com/ossf/model-signing-spec (Apache-2.0); no package has them. `oms.test.ts` makes the same vectors itself.
 */
const home = process.env.SLUICE_OMS_SPEC ?? "";
const { privateKey: key } = generateKeyPairSync("ec", { namedCurve: "P-256" });

describe.skipIf(home === "")("the specification's", () => {
  const ajv = new Ajv2020({ strict: false });
  beforeAll(() => {
    for (const name of ["predicate", "statement", "envelope", "bundle"]) {
      ajv.addSchema(JSON.parse(readFileSync(join(home, `schemas/v1.0/${name}.schema.json`), "utf8")));
    }
  });

  /** What the schemas say of a bundle and of its statement; empty when nothing. */
  function errorsOf(bundle: unknown): string[] {
    const errors: string[] = [];
    const validate = (name: string, value: unknown) => {
      ajv.validate(`https://model_signing/${name}/v1.0/schema`, value);
      errors.push(...(ajv.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`));
    };
    validate("bundle", bundle);
    if (errors.length === 0) validate("statement", statementOf(SignatureBundle.parse(bundle)));
    return errors;
  }

  test.each([
    ["whole files", {}],
    ["shards, named as it says", { serialization: inShards(10), shardNames: "specification" }],
  ] satisfies [string, SignOptions][])("schemas accept what signModel() makes of %s", async (_, options) => {
    expect(errorsOf(JSON.parse(await signModel(await aFolder(), { key }, options)))).toEqual([]);
  });

  test("schemas refuse shards as Python names them", async () => {
    const bundle = await signModel(await aFolder(), { key }, { serialization: inShards(10) });
    expect(errorsOf(JSON.parse(bundle))[0]).toContain("/algorithm must be equal to one of the allowed values");
  });

  test("vectors are accepted or refused as it says", () => {
    for (const [folder, wanted] of [
      ["valid", true],
      ["invalid", false],
      ["invalid-payload", false],
    ] as const) {
      const dir = join(home, "test-vectors/v1.0", folder);
      const found = readdirSync(dir).map((name) => ({
        name,
        accepted: isAccepted(readFileSync(join(dir, name), "utf8")),
      }));
      expect(found.length).toBeGreaterThan(0);
      expect(found).toEqual(found.map(({ name }) => ({ name, accepted: wanted })));
    }
  });
});

function isAccepted(text: string): boolean {
  try {
    parseJson(JSON.stringify(statementOf(parseJson(text, SignatureBundle, "vector"))), SignedModel, "statement");
    return true;
  } catch (error) {
    if (error instanceof DeployError) return false;
    throw error;
  }
}

function statementOf({ dsseEnvelope }: SignatureBundle): unknown {
  return JSON.parse(Buffer.from(dsseEnvelope.payload, "base64").toString());
}
