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

/** An IPv4 address as the kernel prints it; one of IPv6 counts as all, since it may take IPv4 too. */
function addressPart(hex: string): Pick<ListeningPort, "address"> {
  if (hex.length !== 8 || hex === "00000000") return {};
  const parts = hex.match(/../g)?.map((part) => Number.parseInt(part, 16)) ?? [];
  return { address: parts.reverse().join(".") };
}
