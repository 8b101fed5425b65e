import { z } from "zod";
import { DeployError } from "../../spec/error.ts";
import type { Docker } from "./api.ts";

const Network = z.object({
  Internal: z.boolean(),
  IPAM: z.object({ Config: z.array(z.object({ Subnet: z.string().optional() })).nullish() }),
});

/** The revisions' network: `subnet` such as `172.30.77.0/24`; its first address is the host's. */
export type NetworkWanted = { name: string; subnet: string };

/** Makes the network, or finds it; it is internal: no container in it reaches anything beyond. Throws `E_STATE` when it is another kind. */
export async function networkUp(docker: Docker, { name, subnet }: NetworkWanted): Promise<void> {
  const path = `/networks/${encodeURIComponent(name)}`;
  if ((await docker.find(path, Network)) === undefined) {
    const IPAM = { Config: [{ Subnet: subnet }] };
    // 409: another one was faster.
    const body = { Name: name, Driver: "bridge", Internal: true, CheckDuplicate: true, IPAM };
    await docker.tell("POST", "/networks/create", { body, expected: [409] });
  }
  const { Internal, IPAM } = await docker.ask("GET", path, Network);
  const found = IPAM.Config?.[0]?.Subnet ?? "none";
  if (Internal && found === subnet) return;
  throw new DeployError(
    "E_STATE",
    `Cannot use Docker network ${name}: it is ${Internal ? "internal" : "open"} with subnet ${found}, expected internal with ${subnet}; next: name another one in the environment`,
  );
}

/** The first address of `subnet` that nobody has: not the network's own, the host's, or the broadcast. Throws `E_STATE` when all are taken. */
export function freeAddress(subnet: string, taken: readonly string[]): string {
  const [base = "", bits = "24"] = subnet.split("/");
  const first = toNumber(base) + 2;
  const last = toNumber(base) + 2 ** (32 - Number(bits)) - 2;
  const used = new Set(taken);
  for (let number = first; number <= last; number += 1) {
    const address = toAddress(number);
    if (!used.has(address)) return address;
  }
  throw new DeployError(
    "E_STATE",
    `Cannot start a container: all ${last - first + 1} addresses of ${subnet} are taken`,
  );
}

function toNumber(address: string): number {
  return address.split(".").reduce((number, part) => number * 256 + Number(part), 0);
}

function toAddress(number: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join(".");
}
