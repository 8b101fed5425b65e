import type { ValidateFunction } from "ajv";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { type Method, methods, OpenApi, type Operation } from "../../spec/contract.ts";
import { parseJson } from "../../spec/read.ts";

/** One operation of the description: `template` is the path with its parameters in braces. */
export interface Described {
  template: string;
  method: Method;
  operation: Operation;
}

/** A service's own description, ready to hold answers against. */
export class Description {
  readonly text: string;
  readonly document: OpenApi;
  readonly operations: Described[];
  readonly #ajv: Ajv2020;

  /** Reads the text of `/openapi.json`; throws `E_FILE` when it is no OpenAPI 3.1. */
  constructor(text: string, source: string) {
    this.text = text;
    const raw = parseJson(text, OpenApi, source);
    this.document = OpenApi.parse(resolve(raw, raw));
    this.#ajv = new Ajv2020({ strict: false, allErrors: false, validateFormats: true, logger: false });
    addFormats(this.#ajv);
    this.#ajv.addSchema(raw, "openapi");
    this.operations = Object.entries(this.document.paths).flatMap(([template, item]) =>
      methods.flatMap((method) => {
        const operation = item[method];
        return operation === undefined ? [] : [{ template, method, operation }];
      }),
    );
  }

  /** The operation that a request meets; fixed path segments win over parameters. */
  find(method: string, path: string): Described | undefined {
    return this.operations
      .filter((one) => one.method === method.toLowerCase() && matches(one.template, path))
      .sort((a, b) => parametersIn(a.template) - parametersIn(b.template))[0];
  }

  /** Why an answer is not as described; undefined when it is. */
  fault(described: Described, status: number, contentType: string | null, text: string): string | undefined {
    const { template, method, operation } = described;
    const name = `${method.toUpperCase()} ${template}`;
    const key = [String(status), `${Math.floor(status / 100)}XX`, "default"].find((one) => one in operation.responses);
    if (key === undefined) return `status ${status} is not described for ${name}`;
    const content = operation.responses[key]?.content;
    if (content === undefined)
      return text === "" ? undefined : `${name} ${key} describes no body, found ${text.length} characters`;
    const type = mediaType(contentType);
    if (!(type in content)) return `content type ${type || "none"} is not described for ${name} ${key}`;
    if (content[type]?.schema === undefined) return `${name} ${key} describes no schema for ${type}`;
    if (!isJson(type)) return undefined;
    return this.#faultOfJson(["paths", template, method, "responses", key, "content", type, "schema"], text);
  }

  #faultOfJson(pointer: string[], text: string): string | undefined {
    const validate = this.validator(pointer);
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      return "body is not JSON";
    }
    if (validate(value)) return undefined;
    const error = validate.errors?.[0];
    const extra = error?.keyword === "additionalProperties" ? ` (${String(error.params.additionalProperty)})` : "";
    return `body${error?.instancePath ?? ""} ${error?.message ?? "is not as described"}${extra}`;
  }

  /** The compiled schema at a place of the document. */
  validator(pointer: readonly string[]): ValidateFunction {
    const fragment = pointer.map((part) => encodeURIComponent(part.replaceAll("~", "~0").replaceAll("/", "~1")));
    const validate = this.#ajv.getSchema(`openapi#/${fragment.join("/")}`);
    if (validate === undefined) throw new Error(`Cannot validate: description has no /${pointer.join("/")}`);
    return validate;
  }
}

/** `application/json` of `Application/JSON; charset=utf-8`; empty when there is none. */
export function mediaType(header: string | null): string {
  return (header?.split(";")[0] ?? "").trim().toLowerCase();
}

function isJson(type: string): boolean {
  return type === "application/json" || type.endsWith("+json");
}

function matches(template: string, path: string): boolean {
  const [pathname = ""] = path.split("?");
  const wanted = template.split("/");
  const found = pathname.split("/");
  return wanted.length === found.length && wanted.every((part, i) => part.startsWith("{") || part === found[i]);
}

function parametersIn(template: string): number {
  return template.split("{").length - 1;
}

/** Replaces references outside of schemas (responses, parameters, bodies); schemas keep theirs for the validator. */
function resolve(node: unknown, root: unknown): unknown {
  if (Array.isArray(node)) return node.map((one) => resolve(one, root));
  if (!isObject(node)) return node;
  if (typeof node.$ref === "string") return resolve(at(root, node.$ref), root);
  return Object.fromEntries(
    Object.entries(node).map(([key, value]) => [
      key,
      key === "schema" || key === "schemas" ? value : resolve(value, root),
    ]),
  );
}

/** The value that a local reference such as `#/components/schemas/Problem` points to. */
export function at(root: unknown, reference: string): unknown {
  const parts = reference
    .replace(/^#\/?/, "")
    .split("/")
    .filter((part) => part !== "");
  return parts.reduce<unknown>((node, part) => {
    const key = decodeURIComponent(part).replaceAll("~1", "/").replaceAll("~0", "~");
    return isObject(node) ? node[key] : undefined;
  }, root);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
