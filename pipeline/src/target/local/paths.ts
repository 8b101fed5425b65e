import { join } from "node:path";

/** Where the site keeps its things, below the state folder. */
export type SitePaths = {
  state: string;
  keys: string;
  folder: string;
  socket: string;
  file: string;
  lock: string;
  samples: string;
  /** What was served by the hour, for the error budget. */
  history: string;
  /** Answers by Idempotency-Key, of every revision. */
  idempotency: string;
  /** What the site itself prints. */
  output: string;
  logs: string;
  logOf: (id: string) => string;
  readyFileOf: (id: string) => string;
};

export function sitePaths(state: string): SitePaths {
  const folder = join(state, "site");
  return {
    state,
    folder,
    keys: join(state, "keys.json"),
    socket: join(folder, "admin.sock"),
    file: join(folder, "state.json"),
    lock: join(folder, "lock.db"),
    samples: join(folder, "samples.json"),
    history: join(folder, "history.db"),
    idempotency: join(folder, "idempotency.db"),
    output: join(folder, "site.log"),
    logs: join(folder, "logs"),
    logOf: (id) => join(folder, "logs", `${id}.log`),
    readyFileOf: (id) => join(folder, "ready", `${id}.json`),
  };
}
