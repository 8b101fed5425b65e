import { copyFile, readdir, rm, stat, truncate } from "node:fs/promises";
import { join } from "node:path";

/** `inUse` are paths of logs that are never removed. */
export type LogLimits = { maxBytes: number; maxFiles: number; inUse: ReadonlySet<string> };

const limits: LogLimits = { maxBytes: 32 * 1024 * 1024, maxFiles: 40, inUse: new Set() };

/**
 * Keeps a folder of logs small. A log that has grown too long becomes `<name>.1`, the one before it is forgotten; its
 * writer goes on at the new beginning, since it appends. Of those that nobody has written to for longest, all too many go.
 */
export async function tidyLogs(folder: string, options: Partial<LogLimits> = {}): Promise<void> {
  const { maxBytes, maxFiles, inUse } = { ...limits, ...options };
  const names = await readdir(folder).catch(() => []);
  const logs = await Promise.all(
    names.map(async (name) => ({ path: join(folder, name), ...(await sizeOf(join(folder, name))) })),
  );
  for (const { path, size } of logs) {
    if (size <= maxBytes || path.endsWith(".1")) continue;
    await copyFile(path, `${path}.1`);
    await truncate(path);
  }
  const oldest = logs.toSorted((a, b) => b.writtenMs - a.writtenMs).slice(maxFiles);
  for (const { path } of oldest) if (!inUse.has(path)) await rm(path, { force: true });
}

async function sizeOf(path: string): Promise<{ size: number; writtenMs: number }> {
  const { size, mtimeMs } = await stat(path);
  return { size, writtenMs: mtimeMs };
}
