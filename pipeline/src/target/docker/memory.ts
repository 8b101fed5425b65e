import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import { DeployError } from "../../spec/error.ts";
import { parseJson } from "../../spec/read.ts";
import { SiteWeights } from "../../spec/site.ts";

/** What no container can tell: the newest holder's fence, which revision is stable, and the weights. */
const Kept = z.strictObject({ fence: z.int().nonnegative(), stable: z.string().optional(), weights: SiteWeights });
export type Kept = z.infer<typeof Kept>;

const waitMs = 5_000;

export type Memory = {
  read: () => Kept;
  /** Changes what is kept in one transaction. Throws `E_LEASE`, and changes nothing, for a holder that was overtaken. */
  change: (action: string, how?: (kept: Kept) => Partial<Kept>) => void;
};

/** Opens the database at `path` for the holder of `fence`. Two processes at once take turns; a killed one leaves all or nothing. */
export function openMemory(path: string, fence: number): Memory {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const within = <T>(act: (database: DatabaseSync) => T): T => {
    const database = new DatabaseSync(path);
    try {
      database.exec(`PRAGMA busy_timeout = ${waitMs}; PRAGMA synchronous = FULL; BEGIN IMMEDIATE`);
      database.exec("CREATE TABLE IF NOT EXISTS kept (id INTEGER PRIMARY KEY CHECK (id = 1), text TEXT NOT NULL)");
      const result = act(database);
      database.exec("COMMIT");
      return result;
    } finally {
      database.close(); // without a commit nothing was done
    }
  };
  return {
    read: () => within((database) => readFrom(database, path)),
    change: (action, how = () => ({})) =>
      within((database) => {
        const kept = readFrom(database, path);
        if (fence < kept.fence) {
          throw new DeployError(
            "E_LEASE",
            `Cannot ${action}: fence is ${fence}, a later holder wrote with ${kept.fence}`,
          );
        }
        const text = JSON.stringify({ ...kept, ...how(kept), fence });
        database.prepare("INSERT OR REPLACE INTO kept (id, text) VALUES (1, ?)").run(text);
      }),
  };
}

function readFrom(database: DatabaseSync, path: string): Kept {
  const row = database.prepare("SELECT text FROM kept").get();
  return row === undefined ? { fence: 0, weights: {} } : parseJson(String(row.text), Kept, path);
}
