import { expect, setDefaultTimeout, test } from "bun:test";
import { spawn } from "node:child_process";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { aModelCopy, edit, relock } from "../../release/model-copy.ts";

setDefaultTimeout(120_000); // processes, files and key pairs: slow on a machine that is busy

const verify = fileURLToPath(new URL("../../../pipeline/src/stage/verify.ts", import.meta.url));

async function until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  for (const end = Date.now() + 20_000; Date.now() < end; await Bun.sleep(10)) {
    const found = await look().catch(() => undefined);
    if (found !== undefined) return found;
  }
  throw new Error(`Waited in vain for ${what}`);
}

test("verify() leaves no process behind when it is killed during an endless replay", async () => {
  const dir = await aModelCopy();
  const tail = "export function decode(";
  const tellPid = `await Bun.write(${JSON.stringify(`${dir}.pid`)}, String(process.pid)); for (;;) {}`;
  await edit(dir, "transformer.ts", tail, `${tellPid}\n${tail}`);
  await relock(dir);
  const program = `const { verify } = await import(${JSON.stringify(verify)}); await verify(${JSON.stringify(dir)});`;
  const parent = spawn(process.execPath, ["-e", program], { stdio: "ignore" });
  const pid = await until("the worker's pid", async () => Number(await readFile(`${dir}.pid`, "utf8")) || undefined);
  parent.kill("SIGKILL");
  const gone = await until("the worker's end", async () => {
    const isThere = await stat(join("/proc", String(pid))).then(
      () => true,
      () => false,
    );
    return isThere ? undefined : "gone";
  });
  expect(gone).toBe("gone");
});
