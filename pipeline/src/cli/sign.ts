import { generateKeyPairSync } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "commander";
import { z } from "zod";
import { exitCodes } from "../decide/exit.ts";
import { readCertificates } from "../release/certificate.ts";
import { digestInThreads } from "../release/digest-threads.ts";
import { readPrivateKey } from "../release/ec.ts";
import { verifyFolder } from "../release/folder.ts";
import { findModel } from "../release/models.ts";
import { inShards, wholeFiles } from "../release/oms/resources.ts";
import { writeSignature } from "../release/oms/sign.ts";
import { DeployError } from "../spec/error.ts";
import { readText } from "../spec/read.ts";
import { addCommand } from "./command.ts";
import { parseOptions, placeOf } from "./options.ts";

const Options = z.object({
  key: z.string().min(1),
  chain: z.string().min(1).optional(),
  shards: z.coerce.number().int().positive().optional(),
  shardNames: z.enum(["reference", "specification"]),
});

export function register(models: Command): void {
  registerSign(models);
  registerKeygen(models);
}

function registerSign(models: Command): void {
  addCommand(
    models,
    "sign",
    {
      description: "Sign a model folder into its model.sig, by OpenSSF model signing 1.0.",
      example: "sluice models sign magika@3.3.0 --key release-2026.pem",
    },
    (command) =>
      command
        .argument("<model>", "name@version")
        .requiredOption("--key <file>", "private EC key in PEM: P-256, P-384 or P-521")
        .option("--chain <file>", "certificates in PEM, the key's own first")
        .option("--shards <bytes>", "sign every so many bytes of a file apart, not files as a whole")
        .option("--shard-names <form>", "as the reference implementation or the specification has them", "reference"),
    async (options, [ref = ""]) => {
      const { key, chain, shards, shardNames } = parseOptions(Options, options);
      const dir = await findModel(placeOf(options).modelsDir, ref);
      const { files, itself } = await verifyFolder(dir, { digestLarge: digestInThreads });
      const signer = {
        key: readPrivateKey(await readText(key), key),
        ...(chain === undefined ? {} : { chain: readCertificates(await readText(chain), chain) }),
      };
      const serialization = shards === undefined ? wholeFiles : inShards(shards);
      await writeSignature(dir, signer, { serialization, shardNames, known: [...files, itself] });
      const path = join(dir, "model.sig");
      return { exit: exitCodes.done, json: { model: ref, signature: path }, text: `Signed ${ref} into ${path}` };
    },
  );
}

function registerKeygen(models: Command): void {
  addCommand(
    models,
    "keygen",
    {
      description: "Make a key pair for signing models and releases; the public key goes into policies/trust.yaml.",
      example: "sluice models keygen release-2026.pem",
    },
    (command) => command.argument("<file>", "new file for the private key"),
    async (_, [path = ""]) => {
      const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
      const pem = publicKey.export({ type: "spki", format: "pem" }).toString();
      await writeFile(path, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600, flag: "wx" }).catch(
        (cause) => {
          throw new DeployError("E_USAGE", `Cannot write ${path}: ${cause instanceof Error ? cause.message : cause}`, {
            cause,
          });
        },
      );
      const text = `Wrote the private key to ${path}; keep it off the repository. For policies/trust.yaml:\n\npublicKey: |\n${indent(pem)}`;
      return { exit: exitCodes.done, json: { privateKey: path, publicKey: pem }, text };
    },
  );
}

function indent(text: string): string {
  return text.trimEnd().replaceAll(/^/gm, "  ");
}
