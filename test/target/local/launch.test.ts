import { expect, test } from "bun:test";
import { passedOn } from "../../../pipeline/src/target/local/launch.ts";

test("the site's processes see where telemetry goes, and no secret", () => {
  const telemetry = { SLUICE_OTLP: "http://127.0.0.1:4318", SLUICE_TRACE_RATIO: "1", OTEL_SERVICE_NAME: "magika" };
  const secrets = {
    REGISTRY_PASSWORD: "hunter2",
    SLUICE_API_KEY: "sluice_a_b",
    SLUICE_KEYS: "/elsewhere",
    XPATH: "/x",
  };
  expect(passedOn({ PATH: "/usr/bin", ...telemetry, ...secrets })).toEqual({ PATH: "/usr/bin", ...telemetry });
});
