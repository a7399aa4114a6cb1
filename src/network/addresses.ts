import { hash } from "node:crypto";
import { StowageError } from "../errors/index.ts";
import { addressOf, numberOf, type PodIdentity, rangeOf, subnetsOverlap } from "../model/index.ts";

/** Where subnets are chosen that nobody declared: 10.64.0.0/10, in stretches of 256 addresses. */
const POOL = { first: numberOf("10.64.0.0"), stretches: 2 ** 14, size: 256, bits: 24 };

/**
 * A subnet for a network that declares none: the same one each time, unless somebody has it.
 *
 * @param taken subnets and addresses that the host has or reaches
 * @throws StowageError `resource_exhausted` when all of the pool is taken
 */
export function chooseSubnet(bridge: string, taken: readonly string[]): string {
  const begin = numberFrom(bridge, POOL.stretches);
  for (let step = 0; step < POOL.stretches; step += 1) {
    const at = (begin + step) % POOL.stretches;
    const subnet = `${addressOf(POOL.first + at * POOL.size)}/${POOL.bits}`;
    if (!taken.some((other) => subnetsOverlap(subnet, other))) return subnet;
  }
  throw new StowageError(
    "Cannot choose a subnet: all of 10.64.0.0/10 is taken on this host; declare the network's subnet",
    { code: "resource_exhausted" },
  );
}

/** The address of the bridge: the way out of its pods. */
export function gatewayOf(subnet: string): string {
  return addressOf(rangeOf(subnet).first + 1);
}

/** Length of the network's part of addresses. */
export function prefixOf(subnet: string): number {
  return Number(subnet.slice(subnet.indexOf("/") + 1));
}

/**
 * An address for a generation: that of the pod, which every generation of it gets where the one before
 * has given it up, else the next free one.
 *
 * @throws StowageError `resource_exhausted` when none is left
 */
export function chooseAddress(
  subnet: string,
  { owner, fleet, host, pod }: PodIdentity,
  used: ReadonlySet<string>,
): string {
  const { first, last } = rangeOf(subnet);
  // neither the network's own, nor the bridge's, nor that of all
  const count = last - first - 2;
  const begin = numberFrom(JSON.stringify([owner, fleet, host, pod]), count);
  for (let step = 0; step < count; step += 1) {
    const address = addressOf(first + 2 + ((begin + step) % count));
    if (!used.has(address)) return address;
  }
  throw new StowageError(
    `Cannot give pod "${pod}" an address: all ${count} of ${subnet} are taken; give the network a larger subnet`,
    { code: "resource_exhausted", context: { pod, subnet } },
  );
}

/** Hardware address that goes with an address: neighbours' memory of it stays true. */
export function hardwareAddress(address: string): string {
  const parts = address.split(".").map((part) => Number(part).toString(16).padStart(2, "0"));
  return ["02", "53", ...parts].join(":");
}

function numberFrom(text: string, below: number): number {
  return hash("sha256", text, "buffer").readUIntBE(0, 6) % below;
}
