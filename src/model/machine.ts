import { isOfEachUser } from "./engine-config.ts";
import type { HostSpec } from "./host.ts";

/** Ways to write the machine that one is on, as far as ssh gets there by its usual port. */
const LOOPBACK = ["localhost", "ip6-localhost", "localhost.localdomain", "[::1]", "[::]"];
const SSH_PORT = "22";

/**
 * The machine that an address of a host leads to, in one form for all ways to write it: neither the user nor the
 * usual port of ssh makes it another one, nor the form of its number, and `localhost` is `local`. What leads elsewhere
 * only by ssh's configuration cannot be recognized. Another port of one name may be forwarded to another machine.
 */
export function machineOf(address: string): string {
  const [, place, port = SSH_PORT] =
    /^ssh:\/\/(?:[^@]*@)?(\[[^\]]*\]|[^:/]*)(?::0*(\d+))?\/?$/.exec(address) ?? [];
  if (place === undefined) return address;
  const name = isLoopback(inOneForm(place)) ? "localhost" : inOneForm(place);
  if (port !== SSH_PORT) return `${name}:${port}`;
  return name === "localhost" ? "local" : name;
}

/** Like {@link machineOf}, for its engine: where each user has one of their own, it is another one. */
export function engineMachine({ address, engine }: Pick<HostSpec, "address" | "engine">): string {
  const [, user = ""] = /^ssh:\/\/([^@]*)@/.exec(address) ?? [];
  return isOfEachUser(engine) ? `${user}@${machineOf(address)}` : machineOf(address);
}

function isLoopback(name: string): boolean {
  return LOOPBACK.includes(name) || name === "0.0.0.0" || name === "127.0.0.1";
}

/** In small letters; a number of IPv6 as short as it can be, and one that is of IPv4 as that. */
function inOneForm(place: string): string {
  const [, number, zone = ""] = /^\[([^%\]]*)(?:%(?:25)?([^\]]*))?\]$/.exec(place) ?? [];
  if (number === undefined || !URL.canParse(`http://[${number}]`)) return place.toLowerCase();
  const { hostname } = new URL(`http://[${number}]`);
  const [, high, low] = /^\[::ffff:([0-9a-f]+):([0-9a-f]+)\]$/.exec(hostname) ?? [];
  if (high === undefined || low === undefined)
    return zone === "" ? hostname : `${hostname}%${zone}`;
  const halves = [high, low].map((half) => Number.parseInt(half, 16));
  return halves.flatMap((half) => [half >> 8, half & 255]).join(".");
}
