import { ask, type Context, expect, expectProblem, type Probe } from "./context.ts";
import { pathOf } from "./described.ts";

/** HEAD is GET without a body; a method that a route lacks is 405 and names those it has. */
export function methodProbes(context: Context): Probe[] {
  const { description, key, service } = context;
  const templates = [...new Set(description.operations.map((one) => one.template))];
  return templates.flatMap((template) => {
    const path = pathOf(context, template);
    if (path === undefined) return [];
    const known: string[] = description.operations.filter((one) => one.template === template).map((one) => one.method);
    const refused: Probe = {
      name: `DELETE ${template} is 405 and names the methods`,
      async run() {
        const answer = await ask(context, { method: "DELETE", path, key });
        expectProblem(answer, 405, "method-not-allowed", service);
        const allow = methodsIn(answer.headers.get("allow"));
        const missing = known.filter((method) => !allow.includes(method));
        expect(
          missing.length === 0,
          `Allow is ${allow.join(", ") || "none"}, expected ${known.join(", ")} in it`,
          answer,
          service,
        );
      },
    };
    const options: Probe = {
      name: `OPTIONS ${template} promises no method that the route lacks`,
      async run() {
        const answer = await ask(context, { method: "OPTIONS", path, key });
        const { status } = answer;
        if (status === 405) return void expectProblem(answer, 405, "method-not-allowed", service);
        expect(status === 200 || status === 204, `status is ${status}, expected 405, 204 or 200`, answer, service);
        const promised = methodsIn(answer.headers.get("access-control-allow-methods") ?? answer.headers.get("allow"));
        const lacking = promised.filter((method) => !["head", "options", ...known].includes(method));
        expect(lacking.length === 0, `${lacking.join(", ")} is promised and not described`, answer, service);
      },
    };
    const head: Probe = {
      name: `HEAD ${template} is GET without a body`,
      async run() {
        const get = await ask(context, { method: "GET", path, key });
        const answer = await ask(context, { method: "HEAD", path, key });
        expect(answer.status === get.status, `status is ${answer.status}, expected ${get.status}`, answer, service);
        expect(answer.text === "", `body has ${answer.text.length} characters, expected none`, answer, service);
        const [type, wanted] = [answer, get].map((one) => one.headers.get("content-type"));
        expect(type === wanted, `content type is ${type}, expected ${wanted}`, answer, service);
      },
    };
    return [...(known.includes("delete") ? [] : [refused]), options, ...(known.includes("get") ? [head] : [])];
  });
}

function methodsIn(header: string | null): string[] {
  return (header ?? "")
    .toLowerCase()
    .split(/\s*,\s*/)
    .filter((method) => method !== "");
}
