import { readFile } from "node:fs/promises";

/** Processor time of a process and those below it, in microseconds; the kernel counts in hundredths of a second. */
export async function cpuUsOf(pid: number): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, "utf8")).split(") ")[1]?.split(" ") ?? [];
  const children = (await readFile(`/proc/${pid}/task/${pid}/children`, "utf8")).split(" ").filter(Boolean).map(Number);
  const below = await Promise.all(children.map((child) => cpuUsOf(child).catch(() => 0)));
  return (Number(fields[11]) + Number(fields[12])) * 10_000 + below.reduce((sum, us) => sum + us, 0);
}
