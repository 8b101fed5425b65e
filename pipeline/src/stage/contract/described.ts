import { ask, Breach, type Context, expect, type Probe } from "./context.ts";
import type { Described } from "./openapi.ts";

/** The description names what the suite needs, and every documented GET answers as it says. */
export function describedProbes(context: Context): Probe[] {
  return [
    {
      name: "OpenAPI describes the predict request and its answer",
      run: async () => {
        const operation = predictOperation(context).operation;
        const body = operation.requestBody?.content["application/json"]?.schema;
        if (!isTelling(body)) throw new Breach("predict has no schema for its JSON request");
        const answer = operation.responses["200"]?.content?.["application/json"]?.schema;
        if (!isTelling(answer)) throw new Breach("predict has no schema for its answer 200");
      },
    },
    ...context.description.operations
      .filter((one) => one.method === "get")
      .map((one) => ({ name: `GET ${one.template} answers as described`, run: () => getAsDescribed(context, one) })),
  ];
}

/** The predict operation of the model under test; a `Breach` when the description lacks it. */
export function predictOperation({ description, predictPath }: Context): Described {
  const described = description.find("POST", predictPath);
  if (described === undefined) throw new Breach(`description has no POST ${predictPath}`);
  return described;
}

/** The path of an operation for the model under test; undefined when a parameter is unknown. */
export function pathOf({ manifest }: Context, template: string): string | undefined {
  const known: Record<string, string> = { name: manifest.name, model: manifest.name, version: manifest.version };
  let path = template;
  for (const [whole, parameter = ""] of template.matchAll(/\{([^}]+)\}/g)) {
    const value = known[parameter] ?? known[parameter.replace(/^model_/, "")];
    if (value === undefined) return undefined;
    path = path.replace(whole, value);
  }
  return path;
}

async function getAsDescribed(context: Context, { template }: Described): Promise<void> {
  const path = pathOf(context, template);
  if (path === undefined) throw new Breach(`path ${template} has a parameter that this suite does not know`);
  const answer = await ask(context, { method: "GET", path, key: context.key });
  // What this key may not see is looked at by the scope probes.
  if (answer.status === 403) return;
  expect(answer.status < 400, `status is ${answer.status}, expected 2xx or 3xx`, answer, context.service);
}

function isTelling(schema: unknown): boolean {
  return typeof schema === "object" && schema !== null && Object.keys(schema).length > 0;
}
