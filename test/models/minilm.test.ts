import { expect, setDefaultTimeout, test } from "bun:test";
import { fileURLToPath } from "node:url";
import { agree } from "../../pipeline/src/release/agree.ts";
import { readManifest } from "../../pipeline/src/release/folder.ts";
import { Golden } from "../../pipeline/src/spec/golden.ts";
import { readJson } from "../../pipeline/src/spec/read.ts";
import { verify } from "../../pipeline/src/stage/verify.ts";
import { isMade } from "../support/external.ts";
import { runtimes, startProcess } from "../support/service-process.ts";

setDefaultTimeout(120_000); // processes, files and key pairs: slow on a machine that is busy

const dir = fileURLToPath(new URL("../../models/minilm/1.0.0", import.meta.url));

// Too large to be committed: `npm run models -- minilm` lays it down.
test.skipIf(!isMade(dir))(
  "minilm answers as Python does: emoji, CJK, combining marks, empty and long texts",
  async () => {
    const { report } = await verify(dir);
    expect(report.verdict).toEqual({ kind: "pass" });
    expect(report.figure).toContain("16 golden cases");
  },
);

test.skipIf(!isMade(dir)).each(runtimes.filter(({ found }) => found))(
  "minilm embeds in the typed API and in OpenAI's shape alike, as Python does: $name",
  async (runtime) => {
    await using service = await startProcess(runtime, { dirs: [dir] });
    const ask = async (path: string, body: unknown) => {
      const headers = { authorization: `Bearer ${service.key}`, "content-type": "application/json" };
      const answer = await fetch(service.url + path, { method: "POST", headers, body: JSON.stringify(body) });
      expect(answer.status).toBe(200);
      return answer.json();
    };
    const { cases } = await readJson(`${dir}/golden.json`, Golden);
    const { tolerance } = (await readManifest(dir)).manifest;
    const inputs = cases.map(({ request }) => Object(request).input);
    const { data } = await ask("/v1/embeddings", { model: "minilm", input: inputs });
    for (const [i, { request, response }] of cases.entries()) {
      const { output } = await ask("/v1/models/minilm/predict", request);
      expect(agree(response, output, tolerance.response).disagreement).toBeUndefined();
      expect(data[i]).toEqual({ object: "embedding", index: i, embedding: output.embedding });
    }
  },
);
