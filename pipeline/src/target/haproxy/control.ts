import { connect, type NetConnectOpts } from "node:net";
import { DeployError } from "../../spec/error.ts";

/** Where the runtime API is: a unix socket's path, or a host and port. */
export type Control = { path: string } | { host: string; port: number };

const timeoutMs = 5_000;

/** Sends commands in one write, so that no request falls between two of them; returns what HAProxy says. Throws `E_TOOL`. */
export function command(control: Control, ...commands: string[]): Promise<string> {
  const where = "path" in control ? control.path : `${control.host}:${control.port}`;
  return new Promise((resolve, reject) => {
    const fail = (why: string) =>
      reject(
        new DeployError(
          "E_TOOL",
          `Cannot ask HAProxy at ${where}: ${why}; next: see that it runs and this socket is its stats socket`,
        ),
      );
    let text = "";
    const options: NetConnectOpts = control;
    // Our half is closed with the last command: through a forwarded socket HAProxy's own closing is not heard otherwise.
    const socket = connect(options, () => socket.end(`${commands.join("; ")}\n`));
    socket.setEncoding("utf8");
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error(`no answer within ${timeoutMs} ms`)));
    socket.on("data", (chunk) => {
      text += chunk;
    });
    socket.on("error", (error) => fail(error.message));
    socket.on("close", () => resolve(text.trim()));
  });
}
