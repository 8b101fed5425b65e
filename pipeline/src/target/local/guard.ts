// A program of its own, started by a site to watch over it: its standard input is a pipe whose other end only the site
// has. The pipe ends with the site. When the site said goodbye before, all is well; else it was killed, and is started again.
import { fileURLToPath } from "node:url";
import { DeployError } from "../../spec/error.ts";
import { readFlags } from "./flags.ts";
import { siteStatus, startSite } from "./start.ts";

const script = fileURLToPath(new URL("main.ts", import.meta.url));
/** A site that lived no longer is given time: it may be that it ends again at once. */
const shortLifeMs = 5_000;
const pauseMs = 1_000;

try {
  const { state, host, port, workers } = readFlags();
  const since = performance.now();
  let goodbye = "";
  for await (const chunk of process.stdin) goodbye += chunk;
  if (goodbye === "") {
    if (performance.now() - since < shortLifeMs) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    if ((await siteStatus(state)) === undefined) {
      const { pid } = await startSite(script, { stateDir: state, host, port, workers }, { again: true });
      console.error(`The site ended unasked; process ${pid} has taken its place`);
    }
  }
} catch (error) {
  console.error(error instanceof DeployError ? error.message : error);
  process.exitCode = 1;
}
