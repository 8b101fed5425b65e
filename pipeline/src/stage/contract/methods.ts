import { ask, type Context, expect, expectProblem, type Probe } from "./context.ts";
import { pathOf } from "./described.ts";

/** HEAD is GET without a body; a method that a route lacks is 405 and names those it has. */
export function methodProbes(context: Context): Probe[] {
  const { description, key, service } = context;
  const templates = [...new Set(description.operations.map((one) => one.template))];
  return templates.flatMap((template) => {
    const path = pathOf(context, template);
    if (path === undefined) return [];
    const known = description.operations.filter((one) => one.template === template).map((one) => one.method);
    const refused: Probe = {
      name: `DELETE ${template} is 405 and names the methods`,
      async run() {
        const answer = await ask(context, { method: "DELETE", path, key });
        expectProblem(answer, 405, "method-not-allowed", service);
        const allow = (answer.headers.get("allow") ?? "").toLowerCase().split(/\s*,\s*/);
        const missing = known.filter((method) => !allow.includes(method));
        expect(
          missing.length === 0,
          `Allow is ${allow.join(", ") || "none"}, expected ${known.join(", ")} in it`,
          answer,
          service,
        );
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
    return [...(known.includes("delete") ? [] : [refused]), ...(known.includes("get") ? [head] : [])];
  });
}
