import { stat } from "node:fs/promises";

/** A value that was made of a file, and is made anew when the file changes. */
export type Watched<T> = { current: T; stop(): void };

type Options = { everyMs: number; onReload(error?: unknown): void };

/**
 * Reads a file, and again whenever it changes. A file that cannot be read later leaves the value as it was and is told
 * to `onReload`; the first read throws. Looks at the file's times: renames, which editors and writers make, are not missed.
 */
export async function watchFile<T>(
  path: string,
  read: (path: string) => Promise<T>,
  options: Options,
): Promise<Watched<T>> {
  let seen = await stampOf(path);
  const watched: Watched<T> = { current: await read(path), stop: () => clearInterval(timer) };
  let looking = false;
  const look = async () => {
    const stamp = await stampOf(path);
    if (stamp === seen) return;
    seen = stamp;
    watched.current = await read(path);
    options.onReload();
  };
  const timer = setInterval(() => {
    if (looking) return;
    looking = true;
    look()
      .catch((error: unknown) => options.onReload(error))
      .finally(() => {
        looking = false;
      });
  }, options.everyMs);
  timer.unref();
  return watched;
}

async function stampOf(path: string): Promise<string> {
  try {
    const { ino, size, mtimeMs } = await stat(path);
    return `${ino} ${size} ${mtimeMs}`;
  } catch {
    return "absent";
  }
}
