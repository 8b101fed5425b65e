import { z } from "zod";
import { ask, type Context, expect, jsonOf, type Probe } from "./context.ts";

const Models = z.looseObject({ models: z.array(z.looseObject({ name: z.string(), version: z.string() })) });

/** The service is alive, ready, and says what it serves. */
export function healthProbes(context: Context): Probe[] {
  const { service, key, manifest } = context;
  return [
    ...["/livez", "/readyz"].map((path) => ({
      name: `GET ${path} answers without a key`,
      async run() {
        const answer = await ask(context, { method: "GET", path });
        expect(answer.status === 200, `status is ${answer.status}, expected 200`, answer, service);
      },
    })),
    {
      name: "GET /v1/models lists the model under test",
      async run() {
        const answer = await ask(context, { method: "GET", path: "/v1/models", key });
        expect(answer.status === 200, `status is ${answer.status}, expected 200`, answer, service);
        const found = Models.safeParse(jsonOf(answer, service));
        expect(found.success, "body is no list of models with name and version", answer, service);
        const wanted = `${manifest.name}@${manifest.version}`;
        const listed = found.data.models.map((model) => `${model.name}@${model.version}`);
        expect(
          listed.includes(wanted),
          `models are ${listed.join(", ") || "none"}, expected ${wanted}`,
          answer,
          service,
        );
      },
    },
  ];
}
