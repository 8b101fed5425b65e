import { Arms } from "../../target/local/arms.ts";
import { listen } from "../../target/local/listen.ts";
import { Meter } from "../../target/local/meter.ts";
import { createProxy } from "../../target/local/proxy.ts";
import { connectUpstream, newUpstream } from "../../target/local/upstream.ts";

/** Who answers: a revision's name behind the router. */
export type ArmName = "stable" | "candidate";

/** The site's own router in front of both releases. */
export interface Router {
  url: string;
  /** Moves all traffic to one release, or lets both take turns. */
  shift: (to: ArmName | "both") => void;
  close: () => Promise<void>;
}

const timeoutMs = 15_000;

/** Opens a router on a free port of loopback; `urls` are where the releases run. */
export function openRouter(urls: Record<ArmName, string>): Router {
  const arms = new Arms();
  for (const [id, url] of Object.entries(urls)) {
    const upstream = newUpstream(id);
    connectUpstream(upstream, url);
    arms.add(upstream);
  }
  let drawn = 0;
  const inTurn = () => (drawn++ % 2 === 0 ? 0.25 : 0.75);
  const proxy = createProxy({ arms, meter: new Meter(), random: inTurn, timeoutMs, holdMs: 0 });
  const door = listen(proxy, { host: "127.0.0.1", port: 0, isShared: false });
  return {
    url: `http://127.0.0.1:${door.port}`,
    shift: (to) => arms.weigh(to === "both" ? { stable: 50, candidate: 50 } : { [to]: 100 }),
    close: door.close,
  };
}
