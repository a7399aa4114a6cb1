import type { ListeningPort } from "../host.ts";
import { readTextSync } from "./read-text.ts";

/** TCP_LISTEN, and for UDP TCP_CLOSE: a socket without a peer. */
const TABLES = [
  { path: "/proc/net/tcp", protocol: "tcp", state: "0A" },
  { path: "/proc/net/tcp6", protocol: "tcp", state: "0A" },
  { path: "/proc/net/udp", protocol: "udp", state: "07" },
  { path: "/proc/net/udp6", protocol: "udp", state: "07" },
] as const;

/** Sockets that this machine listens on; a table that the kernel lacks has none. */
export function readListeningPorts(): readonly ListeningPort[] {
  return TABLES.flatMap(({ path, protocol, state }) => {
    const text = readTextSync(path);
    if (text instanceof Error) throw text;
    return text === undefined ? [] : parseListeningPorts(text, protocol, state);
  });
}

/**
 * Listening sockets of one table.
 *
 * @see proc_net_tcp.rst of the kernel: `sl local_address rem_address st … inode` is column 9
 */
export function parseListeningPorts(
  text: string,
  protocol: "tcp" | "udp",
  state: string,
): readonly ListeningPort[] {
  return text.split("\n").flatMap((line) => {
    const columns = line.trim().split(/\s+/);
    const [, address = "", port] = /^([0-9A-F]+):([0-9A-F]{4})$/.exec(columns[1] ?? "") ?? [];
    if (port === undefined || columns[3] !== state) return [];
    const inode = Number(columns[9]);
    return [{ protocol, port: Number.parseInt(port, 16), ...addressPart(address), inode }];
  });
}

const MAPPED = "0000000000000000FFFF0000";

/**
 * An address as the kernel prints it. The one of IPv6 that is all may take IPv4 too, and one that is of IPv4 is that;
 * of others it is enough that they are none of IPv4.
 */
function addressPart(hex: string): Pick<ListeningPort, "address"> {
  const four = hex.startsWith(MAPPED) ? hex.slice(MAPPED.length) : hex;
  if (/^0*$/.test(four)) return {};
  if (four.length === 8) return { address: bytesOf(four).reverse().join(".") };
  const words = hex.match(/.{8}/g)?.flatMap((word) => bytesOf(word).reverse()) ?? [];
  const groups = words.flatMap((byte, at) =>
    at % 2 === 0 ? [((byte << 8) | (words[at + 1] ?? 0)).toString(16)] : [],
  );
  return { address: groups.join(":") };
}

function bytesOf(hex: string): number[] {
  return (hex.match(/../g) ?? []).map((byte) => Number.parseInt(byte, 16));
}
