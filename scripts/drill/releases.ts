import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { badReleases, makeBadRelease } from "../../test/fixtures/models/bad.ts";
import { startClient } from "../../test/support/client.ts";
import { aPlace, type DrillPlace } from "./place.ts";

/**
 * Deploys one bad release after another over a good one, on a site of its own, and shows what became of each, while a
 * client asks the site all the time. Returns how many things went otherwise than they should.
 */
export async function drillReleases(): Promise<number> {
  await using place = await aPlace("magika/3.2.0");
  let unexpected = await expectExit(place, "deploy magika@3.2.0", {
    what: "the good release",
    exit: 0,
    outcome: "stable serves all traffic",
  });
  for (const { kind, fault, outcome, exit } of badReleases) {
    const ref = await makeBadRelease(kind, join(place.source, "models"));
    const wanted = { what: `${kind}: ${fault}`, exit, outcome };
    unexpected += await underTraffic(place, () => expectExit(place, `deploy ${ref}`, wanted));
  }
  return unexpected;
}

async function expectExit(
  { sluice }: DrillPlace,
  command: string,
  { what, exit, outcome }: { what: string; exit: number; outcome: string },
): Promise<number> {
  console.log(`\n== ${what}\n   expected: exit ${exit}, ${outcome}\n   $ sluice ${command}`);
  const result = await sluice(command);
  for (const line of result.output.trimEnd().split("\n")) console.log(`   | ${line}`);
  console.log(`   ${result.exit === exit ? "as expected" : "UNEXPECTED"}: exit ${result.exit}`);
  return result.exit === exit ? 0 : 1;
}

/** A bad answer of a canary reaches the clients that met it; stable must answer all the while, and afterwards. */
async function underTraffic({ source, sluice }: DrillPlace, work: () => Promise<number>): Promise<number> {
  const { address } = JSON.parse((await sluice("site status --json")).stdout);
  const key = (await readFile(join(source, ".sluice/secrets/api-key"), "utf8")).trim();
  const client = startClient(address, key);
  const unexpected = await work();
  const seen = await client.stop();
  const after = startClient(address, key);
  await after.answered(10);
  const { failures } = await after.stop();
  console.log(
    `   a client was answered ${seen.answers} times meanwhile, ${seen.failures.length} times badly; afterwards ${failures.length}`,
  );
  return unexpected + (failures.length > 0 || seen.answers === 0 ? 1 : 0);
}
