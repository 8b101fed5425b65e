import { DeployError } from "../../spec/error.ts";

/** A revision as HAProxy sees it; `weight` is percent of new requests. */
export type HaproxyServer = { id: string; host: string; port: number; weight: number };

/** Where HAProxy listens for clients, and for its runtime API: a unix socket, and on request TCP too. */
export type HaproxyPlace = {
  bind: string;
  socket: string;
  /** `host:port` of the runtime API. It has no password: loopback, or a network of its own, only. */
  controlBind?: string;
};

/** Names that the runtime API is asked with. */
export const backendName = "revisions";
export const latencyTable = "sluice_latency";

/** The whole configuration: what it says and why stands in its own comments. Throws `E_USAGE` for an address that would be read as more. */
export function haproxyConfig(place: HaproxyPlace, servers: readonly HaproxyServer[]): string {
  for (const word of [place.bind, place.socket, place.controlBind ?? "", ...servers.map(({ host }) => host)]) {
    if (/[\s'"#\\]/.test(word))
      throw new DeployError("E_USAGE", `Cannot configure HAProxy: "${word}" is no address or path`);
  }
  return `# Written by sluice: changes by hand are lost.
${globalSection(place)}
${defaultsSection}
${frontendSection(place)}
${revisionsSection(servers)}
${askedSection(servers)}
backend ${latencyTable}
  stick-table type string len 250 size 100k store gpc0
`;
}

function globalSection({ socket, controlBind }: HaproxyPlace): string {
  return `global
  stats socket ${socket} mode 600 level admin expose-fd listeners
${controlBind === undefined ? "" : `  stats socket ipv4@${controlBind} level admin\n`}  stats timeout 1m
  hard-stop-after 60s
`;
}

const problems = [
  [400, "Bad Request"],
  [408, "Request Timeout"],
  [502, "Bad Gateway"],
  [503, "Service Unavailable"],
  [504, "Gateway Timeout"],
] as const;

const defaultsSection = `defaults
  mode http
  timeout connect 2s
  timeout client 120s
  timeout server 60s
  timeout http-request 30s
  timeout http-keep-alive 120s
  # Only what never reached a revision is sent to another one.
  retries 3
  retry-on conn-failure
  option redispatch 1
  http-reuse safe
  # After a reload an idle connection is closed with its next answer, not under the client's hands.
  option idle-close-on-response
${problems.map(([status, title]) => `  http-error status ${status} ${problem(status, title)}\n`).join("")}`;

function frontendSection({ bind }: HaproxyPlace): string {
  return `frontend site
  bind ${bind}
  option forwardfor
  http-request set-header x-forwarded-proto http unless { req.hdr(x-forwarded-proto) -m found }
  http-request set-header x-forwarded-host %[req.hdr(host)] unless { req.hdr(x-forwarded-host) -m found }
  http-request set-var(txn.began) date(0,us)
  use_backend asked if { req.hdr(x-sluice-arm) -m found }
  default_backend ${backendName}
`;
}

function revisionsSection(servers: readonly HaproxyServer[]): string {
  return `backend ${backendName}
  # Each request is drawn on its own, so that arms differ by chance only.
  balance random(1)
  # HTTP/1.1 with a host: Bun and Hono refuse the default HTTP/1.0 check.
  option httpchk
  http-check send meth GET uri /readyz ver HTTP/1.1 hdr Host localhost
  http-check expect status 200-299
  default-server check inter 2s fastinter 500ms fall 3 rise 1
  http-response set-header x-sluice-revision %s unless { res.hdr(x-sluice-revision) -m found }
  # HAProxy keeps no latency distribution. This table counts answers by server, leading three digits of the
  # microseconds, and how many digits they are.
  http-response set-var(txn.us) date(0,us),sub(txn.began)
  http-response set-var(txn.length) var(txn.us),length
  http-response set-var(txn.digits) var(txn.us),lower,bytes(0,3)
  http-response set-var(txn.server) srv_name
  http-response track-sc0 var(txn.server),concat(/,txn.digits),concat(/,txn.length) table ${latencyTable} if { status lt 400 }
  http-response sc-inc-gpc0(0) if { status lt 400 }
${servers.map(({ id, host, port, weight }) => `  server ${id} ${host}:${port} weight ${weight}\n`).join("")}`;
}

/** Testers' way to one revision: a backend of its own, so that it is no part of the counts. */
function askedSection(servers: readonly HaproxyServer[]): string {
  const names = servers.map(({ id }) => id).join(" ");
  const known = servers.length === 0 ? "" : ` unless { req.hdr(x-sluice-arm) -m str ${names} }`;
  return `backend asked
  http-request return status 404 ${problem(404, "Unknown revision")}${known}
  http-request set-var(txn.asked) req.hdr(x-sluice-arm)
  http-request del-header x-sluice-arm
  use-server %[var(txn.asked)] if TRUE
  http-response set-header x-sluice-revision %s unless { res.hdr(x-sluice-revision) -m found }
${servers.map(({ id, host, port }) => `  server ${id} ${host}:${port} track ${backendName}/${id}\n`).join("")}`;
}

function problem(status: number, title: string): string {
  const body = JSON.stringify({ type: "about:blank", title, status, code: `haproxy_${status}` });
  return `content-type application/problem+json string '${body}'`;
}
