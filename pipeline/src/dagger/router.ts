import { type Container, dag, type Service } from "@dagger.io/dagger";
import { addressOf, type Images } from "../spec/images.ts";
import { haproxyConfig } from "../target/haproxy/config.ts";

/** Ports of the arms, of the router, and of its runtime API: as `cli/rehearse.ts` asks them. */
const ports = { service: 8080, site: 8000, control: 9999 };

/** The services of a rehearsal, by the names that it asks them with. */
export type Arms = { stable: Service; baseline: Service; canary: Service };

/** HAProxy before three arms, all traffic on stable, its runtime API open to this session's containers. */
export function routerOf(images: Images, arms: Arms): Service {
  const place = { bind: `0.0.0.0:${ports.site}`, socket: "/tmp/haproxy.sock", controlBind: `0.0.0.0:${ports.control}` };
  const servers = Object.keys(arms).map((id) => {
    return { id, host: id, port: ports.service, weight: id === "stable" ? 100 : 0 };
  });
  const bound = Object.entries(arms).reduce(
    (container: Container, [id, service]) => container.withServiceBinding(id, service),
    dag.container().from(addressOf(images, "haproxy")),
  );
  return bound
    .withNewFile("/etc/sluice/haproxy.cfg", haproxyConfig(place, servers))
    .withExposedPort(ports.site)
    .withExposedPort(ports.control)
    .asService({ args: ["haproxy", "-W", "-db", "-f", "/etc/sluice/haproxy.cfg"] });
}
