import { readFile, stat } from "node:fs/promises";
import { LineCounter, parseDocument } from "yaml";
import type { z } from "zod";
import { DeployError } from "./error.ts";

/** More than any file that people or Sluice write: what is larger is refused before it fills the memory. */
const maxBytes = 256 * 2 ** 20;

/** Reads a JSON file into `schema`, or throws `E_FILE` with the file, the place and what was expected. */
export async function readJson<S extends z.ZodType>(path: string, schema: S): Promise<z.output<S>> {
  return parseJson(await readText(path), schema, path);
}

/** Reads a YAML file into `schema`, or throws `E_FILE` with the file, line and column, and what was expected. */
export async function readYaml<S extends z.ZodType>(path: string, schema: S): Promise<z.output<S>> {
  return parseYaml(await readText(path), schema, path);
}

/** Parses JSON text that came from `source` (a path or an address, for the message). */
export function parseJson<S extends z.ZodType>(text: string, schema: S, source: string): z.output<S> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const found = text.trim() === "" ? "file is empty" : `text is not JSON (${reasonOf(cause)})`;
    throw new DeployError("E_FILE", `Cannot read ${source}: ${found}`, { cause });
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw invalid(source, result.error, () => "");
}

/** Parses YAML text that came from `source`: one document, no duplicate keys, no warnings, no custom tags. */
export function parseYaml<S extends z.ZodType>(text: string, schema: S, source: string): z.output<S> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, strict: true, uniqueKeys: true, prettyErrors: true });
  const problem = document.errors[0] ?? document.warnings[0];
  if (problem !== undefined) {
    const place = lines.linePos(problem.pos[0]);
    const words = problem.message.split("\n")[0] ?? problem.message;
    throw new DeployError("E_FILE", `Cannot read ${source}:${place.line}:${place.col}: ${words.replace(/:$/, "")}`);
  }
  if (document.contents === null) throw new DeployError("E_FILE", `Cannot read ${source}: file is empty`);
  const result = schema.safeParse(document.toJS());
  if (result.success) return result.data;
  throw invalid(source, result.error, (path) => {
    const node = document.getIn(path, true) ?? document.getIn(path.slice(0, -1), true);
    const range = typeof node === "object" && node !== null && "range" in node ? node.range : undefined;
    if (!Array.isArray(range) || typeof range[0] !== "number") return "";
    const place = lines.linePos(range[0]);
    return `:${place.line}:${place.col}`;
  });
}

/** Reads a file as UTF-8 text, or throws `E_FILE`. */
export async function readText(path: string): Promise<string> {
  let bytes: Uint8Array;
  try {
    const { size } = await stat(path);
    if (size > maxBytes) throw new Error(`it has ${size} bytes, expected at most ${maxBytes}`);
    bytes = await readFile(path);
  } catch (cause) {
    throw new DeployError("E_FILE", `Cannot read ${path}: ${reasonOf(cause)}`, { cause });
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new DeployError("E_FILE", `Cannot read ${path}: text is not UTF-8`, { cause });
  }
}

function invalid(source: string, error: z.ZodError, placeOf: (path: (string | number)[]) => string): DeployError {
  const issue = error.issues[0];
  const path = (issue?.path ?? []).map((part) => (typeof part === "symbol" ? String(part) : part));
  const at = path.length === 0 ? "" : ` at ${path.join(".")}`;
  const more = error.issues.length > 1 ? ` (and ${error.issues.length - 1} more)` : "";
  const message = `Cannot use ${source}${placeOf(path)}: ${issue?.message ?? "invalid"}${at}${more}`;
  return new DeployError("E_FILE", message, { cause: error });
}

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const code = "code" in cause ? cause.code : undefined;
  if (code === "ENOENT") return "file does not exist";
  if (code === "EISDIR") return "it is a folder, expected a file";
  if (code === "EACCES") return "permission denied";
  return cause.message;
}
