import { DatabaseSync } from "node:sqlite";
import { DeployError } from "../../spec/error.ts";

/** How a site ends that finds another one there. */
export const lockedExitCode = 7;

/** Makes this process the only site of its state folder, or throws `E_LEASE`. The operating system lets go when the process ends, however it ends. */
export function lockSite(path: string): { release: () => void } {
  const database = new DatabaseSync(path);
  try {
    database.exec("PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE");
  } catch (cause) {
    database.close();
    throw new DeployError("E_LEASE", `Cannot start site: another site holds ${path}; next: sluice site status`, {
      cause,
    });
  }
  return { release: () => database.close() };
}
