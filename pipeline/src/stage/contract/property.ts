import fc, { type Arbitrary } from "fast-check";
import type { Json } from "../../spec/golden.ts";
import { nearlyGood, valuesOf } from "./arbitrary.ts";
import type { Answer } from "./ask.ts";
import { Unanswered } from "./ask.ts";
import { ask, Breach, type Context, expect, expectProblem, type Probe } from "./context.ts";
import { predictOperation } from "./described.ts";

const runs = 50;

/** Made-up requests: good ones are never refused as malformed, bad ones always, and none breaks the service. */
export function propertyProbes(context: Context, seed: number): Probe[] {
  const { description, service } = context;
  const made = () => {
    const { operation } = predictOperation(context);
    return valuesOf(operation.requestBody?.content["application/json"]?.schema, description.document);
  };
  return [
    {
      name: `${runs} made-up requests of the described form are answered`,
      run: () =>
        hold(context, seed, made(), (answer) => {
          // A form that only code can check (a checksum, a sum of 1) may still be refused, as a problem.
          if (answer.status !== 200) expectProblem(answer, 422, undefined, service);
        }),
    },
    {
      name: `${runs} made-up requests of another form are refused`,
      run: () => {
        const valid = requestValidator(context);
        return hold(
          context,
          seed,
          nearlyGood(made()).filter((value) => !valid(value)),
          (answer) => {
            expectProblem(answer, 422, undefined, service);
          },
        );
      },
    },
    {
      name: `${runs} bodies of any JSON are answered or refused`,
      run: () =>
        hold(context, seed, valuesOf(true, {}), (answer) => {
          if (answer.status !== 200)
            expect(
              answer.status >= 400 && answer.status < 500,
              `status is ${answer.status}, expected 200 or 4xx`,
              answer,
              service,
            );
        }),
    },
  ];
}

function requestValidator(context: Context): (value: Json) => boolean {
  const { template } = predictOperation(context);
  const pointer = ["paths", template, "post", "requestBody", "content", "application/json", "schema"];
  const validate = context.description.validator(pointer);
  return (value) => validate(value) === true;
}

/** Looks for a request whose answer breaks the rule, and shrinks it; the breach repeats the smallest one as a curl line. */
async function hold(
  context: Context,
  seed: number,
  values: Arbitrary<Json>,
  rule: (answer: Answer) => void,
): Promise<void> {
  const { key, predictPath } = context;
  const property = fc.asyncProperty(values, async (value) => {
    const headers = { "content-type": "application/json" };
    rule(await ask(context, { method: "POST", path: predictPath, key, headers, body: JSON.stringify(value) }));
  });
  const result = await fc.check(property, { seed, numRuns: runs });
  if (!result.failed) return;
  const { errorInstance: error, numShrinks } = result;
  if (error instanceof Breach || error instanceof Unanswered) {
    throw new Breach(`${error.message} (seed ${seed}, shrunk ${numShrinks} times)`);
  }
  throw error ?? new Breach(`made-up requests ran out after ${result.numRuns} runs, expected ${runs}`);
}
