/**
 * Shows what Sluice does when things are bad. Ends with 1 when anything went otherwise than it should.
 *
 *     npm run drill                 bad releases, and what becomes of each
 *     npm run drill -- gates        each gate broken once, and seen red
 *     npm run drill -- ten          ten runs of the load gate on an unchanged service; then beside a process that burns a core
 *     npm run drill -- ten gate     the same with another profile of load.yaml than smoke
 */
const drills = {
  releases: async () => (await import("./drill/releases.ts")).drillReleases(),
  gates: async () => (await import("./drill/gates.ts")).drillGates(),
  ten: async (profile = "smoke") => (await import("./drill/ten.ts")).drillTen(profile),
};

const [chosen = "releases", ...args] = process.argv.slice(2);
const drill = Object.entries(drills).find(([known]) => known === chosen)?.[1];
if (drill === undefined) {
  console.error(`Cannot drill ${chosen}: known are ${Object.keys(drills).join(", ")}`);
  process.exitCode = 2;
} else {
  const unexpected = await drill(...args);
  console.log(unexpected === 0 ? "\nEverything went as it should" : `\n${unexpected} went otherwise than they should`);
  process.exitCode = unexpected === 0 ? 0 : 1;
}

export {};
