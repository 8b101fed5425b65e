import { readdir, readFile } from "node:fs/promises";

/** What the kernel says of a process. `peakMiB` is its largest resident size so far. */
export type ProcessStatus = {
  uid: number;
  capabilities: string;
  noNewPrivileges: boolean;
  threads: number;
  peakMiB: number;
};

/** The status of the youngest descendant of `pid`: the service below its wrappers. Linux only. */
export async function statusOfService(pid: number): Promise<ProcessStatus> {
  let current = pid;
  for (let child = await childOf(current); child !== undefined; child = await childOf(current)) current = child;
  const text = await readFile(`/proc/${current}/status`, "utf8");
  const field = (name: string) => new RegExp(`^${name}:\\s+(\\S+)`, "m").exec(text)?.[1] ?? "";
  return {
    uid: Number(field("Uid")),
    capabilities: field("CapEff"),
    noNewPrivileges: field("NoNewPrivs") === "1",
    threads: Number(field("Threads")),
    peakMiB: Number(field("VmHWM")) / 1024,
  };
}

async function childOf(pid: number): Promise<number | undefined> {
  const tasks = await readdir(`/proc/${pid}/task`);
  for (const task of tasks) {
    const children = (await readFile(`/proc/${pid}/task/${task}/children`, "utf8")).trim();
    if (children !== "") return Number(children.split(" ").at(-1));
  }
  return undefined;
}
