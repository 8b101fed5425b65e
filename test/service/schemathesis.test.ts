import { expect, setDefaultTimeout, test } from "bun:test";
import { dirname, join } from "node:path";
import { temporaryFolder } from "../support/folder.ts";
import { magikaDir, patience, root, tabularDir } from "../support/service-app.ts";
import { embedderModel } from "../support/service-model.ts";
import { runtimes, startProcess } from "../support/service-process.ts";
import { hasPython, pythonWith, run } from "../support/service-python.ts";

setDefaultTimeout(patience);

test.skipIf(!hasPython && process.env.CI !== "true")(
  "schemathesis finds nothing with all its checks, over every route of the service's own description",
  async () => {
    const [bun] = runtimes;
    if (bun === undefined) throw new Error("There is no runtime");
    const python = await pythonWith("schemathesis", ["schemathesis==4.32.0"]);
    await using folder = await temporaryFolder();
    await using embedder = await embedderModel();
    await using service = await startProcess(bun, { dirs: [tabularDir, magikaDir, embedder.dir] });
    const headers = { authorization: `Bearer ${service.key}` };
    const schema = join(folder.path, "openapi.json");
    await Bun.write(schema, await (await fetch(`${service.url}/openapi.json`, { headers })).text());
    const config = join(folder.path, "schemathesis.toml");
    await Bun.write(config, `[auth.openapi.bearer]\nbearer = "${service.key}"\n`);
    const hooks = [`PYTHONPATH=${join(root, "test", "support")}`, "SCHEMATHESIS_HOOKS=service-schemathesis"];
    const st = join(dirname(python), "st");
    const options = [
      "--checks=all",
      "--seed=1",
      "--max-examples=10",
      "--phases=examples,coverage,fuzzing",
      "--no-color",
    ];
    const said = await run(
      "env",
      ...hooks,
      st,
      "--config-file",
      config,
      "run",
      schema,
      "--url",
      service.url,
      ...options,
    );
    expect(said).toContain("No issues found");
  },
  300_000,
);
