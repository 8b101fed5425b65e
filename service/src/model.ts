import { join } from "node:path";
import { z } from "zod";
import { verifyFolder } from "../../pipeline/src/release/folder.ts";
import type { Digest } from "../../pipeline/src/spec/digest.ts";
import { DeployError } from "../../pipeline/src/spec/error.ts";
import type { Manifest } from "../../pipeline/src/spec/manifest.ts";
import { Pool, type PoolEvents, type PoolLimits } from "./pool.ts";
import { importTransformer, type Transformer } from "./transformer.ts";

/** A JSON schema, draft 2020-12, as OpenAPI 3.1 takes it. */
export type JsonSchema = Record<string, unknown>;

/** The JSON schema of an object without other keys. */
export function strictObject(properties: Record<string, JsonSchema>, required = Object.keys(properties)) {
  return { type: "object" as const, additionalProperties: false, required, properties };
}

/** A verified model folder, ready to be asked once its pool is open. */
export type Model = {
  name: string;
  version: string;
  digest: Digest;
  dir: string;
  manifest: Manifest;
  requestSchema: JsonSchema;
  responseSchema: JsonSchema;
  /** Whether a body of raw bytes is understood. */
  takesBytes: boolean;
  pool: Pool;
};

/** Verifies a model folder and imports its transformer; throws `E_DIGEST` or `E_FILE`. Starts no worker yet. */
export async function loadModel(
  dir: string,
  limits: PoolLimits,
  eventsOf: (model: { name: string; version: string }) => PoolEvents,
): Promise<Model> {
  const { manifest, digest } = await verifyFolder(dir);
  const transformer = await importTransformer(join(dir, manifest.transformer));
  const model = manifest.files.find((file) => file.path === manifest.model);
  if (model === undefined)
    throw new DeployError("E_FILE", `Cannot use ${dir}: its manifest does not list ${manifest.model}`);
  return {
    name: manifest.name,
    version: manifest.version,
    digest,
    dir,
    manifest,
    requestSchema: jsonSchemaOf(transformer, "request", dir),
    responseSchema: jsonSchemaOf(transformer, "response", dir),
    takesBytes: transformer.fromBytes !== undefined,
    pool: new Pool({ dir, manifest, model }, limits, eventsOf(manifest)),
  };
}

/** The schema comes from the transformer's own copy of zod: only its `_zod` structure is used. */
function jsonSchemaOf(transformer: Transformer, side: "request" | "response", dir: string): JsonSchema {
  const schema = transformer[side];
  try {
    if (!isZodSchema(schema)) throw new Error("it is no zod 4 schema");
    const io = side === "request" ? "input" : "output";
    const { $schema: _, "~standard": __, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: "throw" });
    return rest;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new DeployError("E_FILE", `Cannot describe the ${side} of ${dir}: ${reason}`, { cause });
  }
}

function isZodSchema(schema: object): schema is z.core.$ZodType {
  return "_zod" in schema && typeof schema._zod === "object" && schema._zod !== null && "def" in schema._zod;
}
