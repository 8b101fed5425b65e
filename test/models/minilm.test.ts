import { expect, setDefaultTimeout, test } from "bun:test";
import { fileURLToPath } from "node:url";
import { verify } from "../../pipeline/src/stage/verify.ts";
import { isMade } from "../support/external.ts";

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
