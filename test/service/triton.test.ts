import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { patience, root } from "../support/service-app.ts";
import { runtimes, startProcess } from "../support/service-process.ts";
import { hasPython, pythonWith, run } from "../support/service-python.ts";

setDefaultTimeout(patience);

const packages = ["tritonclient[http]==2.73.0", "numpy==2.4.6"];

test.skipIf(!hasPython && process.env.CI !== "true")(
  "NVIDIA's own client works unchanged, with JSON and with binary tensors",
  async () => {
    const [bun] = runtimes;
    if (bun === undefined) throw new Error("There is no runtime");
    const python = await pythonWith("triton", packages);
    await using service = await startProcess(bun);
    const script = join(root, "test", "support", "service-triton.py");
    const seen = JSON.parse(await run(python, script, service.url.replace("http://", ""), service.key));
    expect(seen).toMatchObject({ live: true, ready: true, modelReady: true, extensions: ["binary_tensor_data"] });
    expect(seen.inputs).toEqual([{ name: "features", datatype: "FP32", shape: [-1, 30] }]);
    expect(seen.answers).toHaveLength(5);
    for (const answer of seen.answers) expect(answer).toEqual(seen.answers[0]);
    expect(seen.answers[0].probabilities[0]).toHaveLength(2);
    expect(seen.refused).toContain("expected [batch, 30]");
  },
  180_000,
);
