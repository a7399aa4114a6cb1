import { addressOf, portKey, rangeOf } from "../model/index.ts";
import type { NetworkFile, PodFile } from "./files.ts";
import { podNameOf } from "./places.ts";

/** A table of the kernel's rules. */
export type Table = "nat" | "filter";

/** A chain of a network's own, and how packets come to it. */
interface Chain {
  readonly table: Table;
  readonly name: string;
  /** The rule of a chain of the kernel that leads to it; absent: another chain of ours does. */
  readonly jump?: { readonly from: string; readonly match: string; readonly first: boolean };
  readonly rules: readonly string[];
}

const LOCAL = "-m addrtype --dst-type LOCAL ";

/**
 * The chains of a network with all their rules. Nothing but them, and the rules that lead to them, is
 * ever touched.
 */
export function chainsOf(
  bridge: string,
  network: Pick<NetworkFile, "subnet" | "internal">,
  pods: readonly PodFile[],
): readonly Chain[] {
  const { internal } = network;
  const subnet = asPrinted(network.subnet);
  return [
    {
      table: "nat",
      name: `${bridge}-pre`,
      jump: { from: "PREROUTING", match: LOCAL, first: false },
      rules: [`-j ${bridge}-dnat`],
    },
    {
      table: "nat",
      name: `${bridge}-out`,
      jump: { from: "OUTPUT", match: LOCAL, first: false },
      rules: [`-j ${bridge}-dnat`],
    },
    { table: "nat", name: `${bridge}-dnat`, rules: inOrder(pods).flatMap(forwardRules) },
    {
      table: "nat",
      name: `${bridge}-masq`,
      jump: { from: "POSTROUTING", match: "", first: false },
      rules: internal
        ? []
        : [
            `-s ${subnet} ! -o ${bridge} -j MASQUERADE`,
            // a port that was asked on the host's loopback
            `-s 127.0.0.0/8 -o ${bridge} -j MASQUERADE`,
            // a pod that asks a port of its own network on the host
            `-s ${subnet} -o ${bridge} -m conntrack --ctstate DNAT -j MASQUERADE`,
          ],
    },
    {
      table: "filter",
      name: `${bridge}-fwd`,
      // before what others accept or drop
      jump: { from: "FORWARD", match: "", first: true },
      rules: filterRules(bridge, internal),
    },
    {
      table: "filter",
      name: `${bridge}-in`,
      jump: { from: "INPUT", match: "", first: true },
      // the bridge lets the host's loopback through for ports: not to pods that claim to be there
      rules: [`-d 127.0.0.0/8 -i ${bridge} -m conntrack ! --ctstate RELATED,ESTABLISHED -j DROP`],
    },
  ];
}

function filterRules(bridge: string, internal: boolean): readonly string[] {
  const inside = `-i ${bridge} -o ${bridge} -j ACCEPT`;
  if (internal) return [inside, `-i ${bridge} -j DROP`, `-o ${bridge} -j DROP`];
  return [
    inside,
    // networks are apart, but for what a pod offers to all
    `-i ${bridge} -o stw-+ -m conntrack ! --ctstate DNAT -j DROP`,
    `-i ${bridge} -j ACCEPT`,
    `-o ${bridge} -m conntrack --ctstate RELATED,ESTABLISHED,DNAT -j ACCEPT`,
    `-o ${bridge} -j DROP`,
  ];
}

function forwardRules({ ports, address, aside }: PodFile): readonly string[] {
  if (address === undefined || aside === true) return [];
  return ports.map(({ host, container = host, protocol = "tcp", hostIp }) => {
    const at = hostIp === undefined ? "" : `-d ${hostIp}/32 `;
    return `${at}-p ${protocol} -m ${protocol} --dport ${host} -j DNAT --to-destination ${address}:${container}`;
  });
}

/** What a port's rule has in it, however it is printed. */
export function forwardOf(pod: PodFile, key: string): string | undefined {
  const port = pod.ports.find((each) => portKey(each) === key);
  if (port === undefined || pod.address === undefined) return undefined;
  const { host, container = host } = port;
  return `--dport ${host} -j DNAT --to-destination ${pod.address}:${container}`;
}

/**
 * Input of `iptables-restore --noflush` that makes chains what they are to be, in one instant a table.
 *
 * @param saved what iptables-save printed: rules that lead to a chain are added where it has none
 */
export function restoreText(chains: readonly Chain[], saved: string): string {
  return inTables(chains, (chain) => {
    const { name, jump, rules } = chain;
    const lead =
      jump === undefined || hasJump(saved, name)
        ? []
        : [`${jump.first ? "-I" : "-A"} ${jump.from} ${jump.match}-j ${name}`];
    return {
      declared: `:${name} - [0:0]`,
      lines: [...rules.map((rule) => `-A ${name} ${rule}`), ...lead],
    };
  });
}

/** Input that takes a network's chains away with all rules that lead to them, as iptables-save printed those. */
export function removalText(bridge: string, saved: string): string {
  const chains = chainsOf(bridge, { subnet: "", internal: true }, []);
  const names = new Set(chains.map(({ name }) => name));
  const leads = saved.split("\n").flatMap((line) => {
    const found = /^-A (\S+) .*-j (\S+)$/.exec(line) ?? /^-A (\S+) -j (\S+)$/.exec(line);
    const [, from = "", to = ""] = found ?? [];
    return names.has(to) && !names.has(from)
      ? [{ to, line: `-D ${line.slice("-A ".length)}` }]
      : [];
  });
  return inTables(
    // one that another of ours leads to goes after it
    [...chains].sort((a, b) => Number(a.jump === undefined) - Number(b.jump === undefined)),
    ({ name }) => ({
      declared: `:${name} - [0:0]`,
      lines: [...leads.filter(({ to }) => to === name).map(({ line }) => line), `-X ${name}`],
    }),
  );
}

function inTables(
  chains: readonly Chain[],
  textOf: (chain: Chain) => { readonly declared: string; readonly lines: readonly string[] },
): string {
  const tables = [...new Set(chains.map(({ table }) => table))];
  return tables
    .map((table) => {
      const parts = chains.filter((chain) => chain.table === table).map(textOf);
      return [
        `*${table}`,
        ...parts.map(({ declared }) => declared),
        ...parts.flatMap(({ lines }) => lines),
        "COMMIT\n",
      ].join("\n");
    })
    .join("");
}

/** The words of a rule, wherever its options stand. */
function wordsOf(rule: string): string {
  return rule.split(" ").toSorted().join(" ");
}

/** A subnet by its first address, as iptables-save says it. */
function asPrinted(subnet: string): string {
  return subnet.replace(/^[^/]+/, addressOf(rangeOf(subnet).first));
}

/** In the same order whoever reads their files. */
function inOrder(pods: readonly PodFile[]): readonly PodFile[] {
  return pods.toSorted((a, b) => (podNameOf(a.identity) < podNameOf(b.identity) ? -1 : 1));
}

function hasJump(saved: string, chain: string): boolean {
  return saved.includes(` -j ${chain}\n`);
}

/** Whether iptables-save printed the rules of a chain, these and no others, and one that leads to it. */
export function isComplete({ name, jump, rules }: Chain, saved: string): boolean {
  if (jump !== undefined && !hasJump(saved, name)) return false;
  const found = saved.split("\n").filter((line) => line.startsWith(`-A ${name} `));
  return (
    found.length === rules.length &&
    found.every((line, at) => wordsOf(line) === wordsOf(`-A ${name} ${rules[at]}`))
  );
}
