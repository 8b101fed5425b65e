import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { runProbe } from "../../../pipeline/src/stage/contract/context.ts";
import { restartProbe } from "../../../pipeline/src/stage/contract/restart.ts";
import { aCandidate, contextOf } from "../../support/candidate.ts";
import { root } from "../../support/cli.ts";
import { temporaryFolder } from "../../support/folder.ts";

setDefaultTimeout(60_000);

const tabular = join(root, "test/fixtures/models/tabular/1.0.0");

/** Looks at a service that keeps its stored answers in `idempotency`, or in memory. */
async function restarted(idempotency?: string) {
  const stored = idempotency === undefined ? {} : { idempotency };
  const first = await aCandidate(tabular, stored);
  const context = await contextOf(first);
  let second = first;
  const probe = restartProbe(context, async () => {
    await first.stop();
    second = await aCandidate(tabular, { like: first, ...stored });
    return second.url;
  });
  const { verdict } = await runProbe(probe);
  await second.stop();
  return verdict;
}

test("restartProbe() passes a service that keeps its stored answers in a file", async () => {
  await using folder = await temporaryFolder();
  expect(await restarted(join(folder.path, "answers.db"))).toEqual({ kind: "pass" });
});

test("restartProbe() fails one that forgets them", async () => {
  expect(await restarted()).toMatchObject({
    kind: "fail",
    breaches: [expect.stringContaining("it was computed again")],
  });
});
