/** One HTTP/1.1 request, ready to be sent again and again. */
export type Shot = { path: string; headers: Record<string, string>; body: string | Uint8Array };

/** What a closed loop of `connections` saw: latencies in milliseconds, in ascending order. */
export type Volley = { requests: number; failures: number; seconds: number; latencies: Float64Array };

type Line = { sentAt: number; buffer: Buffer; wanted: number };

/**
 * Sends `shot` over `connections` kept-alive connections for `seconds`, each sending its next request when its answer
 * is complete. Plain sockets, so that the client costs little beside what it measures.
 */
export async function fire(
  port: number,
  shot: Shot,
  options: { connections: number; seconds: number },
): Promise<Volley> {
  const request = encodeShot(shot);
  const latencies: number[] = [];
  let failures = 0;
  let open = options.connections;
  const start = performance.now();
  const end = start + options.seconds * 1000;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const send = (socket: Bun.Socket<Line>) => {
    socket.data = { sentAt: performance.now(), buffer: Buffer.alloc(0), wanted: -1 };
    socket.write(request);
  };
  const socket: Bun.SocketHandler<Line> = {
    open: send,
    data(socket, chunk) {
      const line = socket.data;
      line.buffer = line.buffer.length === 0 ? chunk : Buffer.concat([line.buffer, chunk]);
      if (line.wanted < 0) line.wanted = lengthOf(line.buffer);
      if (line.wanted < 0 || line.buffer.length < line.wanted) return;
      const now = performance.now();
      if (line.buffer[9] === 0x32) latencies.push(now - line.sentAt);
      else failures += 1;
      if (now < end) send(socket);
      else socket.end();
    },
    close() {
      open -= 1;
      if (open === 0) resolve();
    },
    error: (_, error) => reject(error),
  };
  for (let i = 0; i < options.connections; i += 1) {
    const data: Line = { sentAt: 0, buffer: Buffer.alloc(0), wanted: -1 };
    await Bun.connect({ hostname: "127.0.0.1", port, socket, data });
  }
  await promise;
  const seconds = (performance.now() - start) / 1000;
  return { requests: latencies.length, failures, seconds, latencies: Float64Array.from(latencies).sort() };
}

function encodeShot({ path, headers, body }: Shot): Buffer {
  const bytes = Buffer.from(body);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n${lines.join("")}content-length: ${bytes.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), bytes]);
}

/** The length of the whole answer, or -1 while its head is not complete. */
function lengthOf(buffer: Buffer): number {
  const head = buffer.indexOf("\r\n\r\n");
  if (head === -1) return -1;
  const length = /\r\ncontent-length: *(\d+)/i.exec(buffer.toString("latin1", 0, head))?.[1];
  if (length === undefined) throw new Error("Cannot read the answer: it has no content-length");
  return head + 4 + Number(length);
}

/** The value below which `share` (0..1) of the latencies lie. */
export function quantile(latencies: Float64Array, share: number): number {
  return latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? Number.NaN;
}
