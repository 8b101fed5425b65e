import { addCounter } from "../local/history.ts";
import { backendName } from "./config.ts";
import { command } from "./control.ts";
import { parseGeneration, parseMet } from "./show.ts";

/**
 * Adds what clients met since the last time to the history. HAProxy's counts end with its process: whoever reloads or
 * ends it calls this before.
 */
export async function keepHistory({ socket, history }: { socket: string; history: string }): Promise<void> {
  const control = { path: socket };
  // The process first: should the next one answer the second question, its counts wait until they are told with its name.
  const generation = parseGeneration(await command(control, "show info"));
  const met = parseMet(await command(control, "show stat"), backendName);
  addCounter(history, { ...met, generation }, Date.now());
}
