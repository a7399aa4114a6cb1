/** A stretch of IPv4 addresses, as numbers. */
export interface AddressRange {
  readonly first: number;
  readonly last: number;
}

/** The addresses of `a.b.c.d/bits`; of a plain address that one. */
export function rangeOf(subnet: string): AddressRange {
  const [address = "", bits = "32"] = subnet.split("/");
  const size = 2 ** (32 - Number(bits));
  const first = Math.floor(numberOf(address) / size) * size;
  return { first, last: first + size - 1 };
}

/** Whether two subnets have an address in common. */
export function subnetsOverlap(one: string, other: string): boolean {
  const [a, b] = [rangeOf(one), rangeOf(other)];
  return a.first <= b.last && b.first <= a.last;
}

/** What no host has for an address of its own: "this network", groups, and all of a wire. */
const OF_NOBODY = ["0.0.0.0/8", "224.0.0.0/4", "255.255.255.255/32"];

/** Whether an address, or one of a subnet, can belong to nobody. */
export function hasNobodys(subnet: string): boolean {
  return OF_NOBODY.some((other) => subnetsOverlap(subnet, other));
}

/** An address as a number. */
export function numberOf(address: string): number {
  return address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
}

/** A number as an address. */
export function addressOf(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");
}
