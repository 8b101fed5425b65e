import { expect, test } from "bun:test";
import type { Place } from "../../pipeline/src/cli/options.ts";
import { sayCommandsOf } from "../../pipeline/src/cli/repeat.ts";

const home = "/opt/sluice";

function place(changes: Partial<Place> = {}): Place {
  const paths = { source: "/srv/churn", modelsDir: "/srv/churn/models", policiesDir: "/srv/churn/policies" };
  return { ...paths, stateDir: "/srv/churn/.sluice", environment: "local", ...changes };
}

test.each([
  ["names nothing that is so by default", place(), "/srv/churn", "sluice status"],
  ["names a source that is elsewhere", place(), "/srv", "sluice status --source /srv/churn"],
  [
    "names a state and an environment of one's own",
    place({ stateDir: "/var/one's", environment: "haproxy" }),
    "/srv/churn",
    "sluice status --state '/var/one'\\''s' --environment haproxy",
  ],
  [
    "lets npm find the program in Sluice's own checkout",
    place({ source: home, stateDir: `${home}/.sluice` }),
    home,
    "npm run sluice -- status",
  ],
])("a command that is said %s", (_, where, cwd, said) => {
  expect(sayCommandsOf(where, { cwd, home: `${home}/` })("status")).toBe(said);
});
