import { open } from "node:fs/promises";

const tailBytes = 4_096;

/** The last lines of a log, for a message; empty when there is none. */
export async function lastLines(path: string, lines = 5): Promise<string> {
  try {
    const file = await open(path, "r");
    try {
      const { size } = await file.stat();
      const start = Math.max(0, size - tailBytes);
      const { buffer, bytesRead } = await file.read(Buffer.alloc(tailBytes), 0, tailBytes, start);
      return buffer.toString("utf8", 0, bytesRead).trimEnd().split("\n").slice(-lines).join("\n");
    } finally {
      await file.close();
    }
  } catch {
    return "";
  }
}
