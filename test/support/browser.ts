import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";

/** One page in headless Chromium, driven by its DevTools protocol. Sizes in CSS pixels. */
export type Page = {
  /** Opens `url` as on a screen of this size; returns when it is loaded. */
  open: (url: string, screen: { width: number; height: number; dark?: boolean }) => Promise<void>;
  /** The value of a JavaScript expression, which must be JSON. */
  evaluate: <S extends z.ZodType>(expression: string, schema: S) => Promise<z.output<S>>;
  /** Everything that the page complained of since it was opened: errors, and what its content policy forbade. */
  complaints: () => string[];
  /** The whole page as a PNG picture. */
  screenshot: () => Promise<Buffer>;
  /** The page as it is printed on A4. */
  pdf: () => Promise<Buffer>;
};

const Message = z.object({
  id: z.int().optional(),
  method: z.string().optional(),
  params: z.unknown().optional(),
  result: z.unknown().optional(),
  error: z.object({ message: z.string() }).optional(),
});
const Data = z.object({ data: z.base64() });
const Value = z.object({ result: z.object({ value: z.unknown() }) });
const Complaint = z.object({ entry: z.object({ level: z.string(), text: z.string() }) });

/** Starts Chromium with a profile of its own. */
export async function startBrowser(): Promise<Page & AsyncDisposable> {
  const profile = await mkdtemp(join(tmpdir(), "sluice-browser-"));
  const flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"];
  const chromium = spawn(
    "chromium",
    [...flags, `--user-data-dir=${profile}`, "--remote-debugging-port=0", "about:blank"],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  const ended = once(chromium, "exit");
  let printed = "";
  for await (const chunk of chromium.stderr) {
    printed += chunk;
    if (/^DevTools listening on .+$/m.test(printed)) break;
  }
  const port = /DevTools listening on ws:\/\/127\.0\.0\.1:(\d+)/.exec(printed)?.[1];
  if (port === undefined) throw new Error(`Cannot start Chromium: ${printed}`);
  const page = await connect(Number(port));
  return {
    ...page,
    [Symbol.asyncDispose]: async () => {
      chromium.kill("SIGKILL");
      await ended;
      await rm(profile, { recursive: true, force: true });
    },
  };
}

async function connect(port: number): Promise<Page> {
  const Targets = z.array(z.object({ type: z.string(), webSocketDebuggerUrl: z.string() }));
  const targets = Targets.parse(await (await fetch(`http://127.0.0.1:${port}/json/list`)).json());
  const socket = new WebSocket(targets.find(({ type }) => type === "page")?.webSocketDebuggerUrl ?? "");
  await new Promise((resolve) => socket.addEventListener("open", resolve, { once: true }));
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  const complaints: string[] = [];
  let loaded = Promise.withResolvers<void>();
  let count = 0;
  socket.addEventListener("message", ({ data }) => {
    const { id, method, params, result, error } = Message.parse(JSON.parse(String(data)));
    if (method === "Page.loadEventFired") loaded.resolve();
    if (method === "Log.entryAdded") complaints.push(Complaint.parse(params).entry.text);
    if (method === "Runtime.exceptionThrown") complaints.push(JSON.stringify(params));
    if (id === undefined) return;
    if (error === undefined) waiting.get(id)?.resolve(result);
    else waiting.get(id)?.reject(new Error(error.message));
  });
  const ask = (method: string, params: object = {}): Promise<unknown> => {
    count += 1;
    const answer = Promise.withResolvers<unknown>();
    waiting.set(count, answer);
    socket.send(JSON.stringify({ id: count, method, params }));
    return answer.promise;
  };
  const bytes = async (method: string, params: object) =>
    Buffer.from(Data.parse(await ask(method, params)).data, "base64");
  for (const domain of ["Page", "Log", "Runtime"]) await ask(`${domain}.enable`);
  return {
    open: async (url, { width, height, dark = false }) => {
      complaints.length = 0;
      const features = [{ name: "prefers-color-scheme", value: dark ? "dark" : "light" }];
      await ask("Emulation.setEmulatedMedia", { features });
      await ask("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 2, mobile: width < 600 });
      loaded = Promise.withResolvers();
      await ask("Page.navigate", { url });
      await loaded.promise;
    },
    evaluate: async (expression, schema) =>
      schema.parse(Value.parse(await ask("Runtime.evaluate", { expression, returnByValue: true })).result.value),
    complaints: () => [...complaints],
    screenshot: () => bytes("Page.captureScreenshot", { captureBeyondViewport: true }),
    pdf: () => bytes("Page.printToPDF", { preferCSSPageSize: true, paperWidth: 8.27, paperHeight: 11.69 }),
  };
}
