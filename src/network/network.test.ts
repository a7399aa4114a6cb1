import { describe, expect, test } from "vitest";
import { rangeOf, subnetsOverlap } from "../model/index.ts";
import { chooseAddress, chooseSubnet, gatewayOf, hardwareAddress } from "./addresses.ts";
import type { NetworkFile, PodFile } from "./files.ts";
import { forwardRules, readLook, subnetsOf } from "./look.ts";
import { chainsOf, isComplete, removalText, restoreText } from "./rules.ts";
import { hostsText, resolvText } from "./texts.ts";

const BRIDGE = "stw-abcdefghijk";
const NETWORK: NetworkFile = {
  version: 1,
  owner: "me",
  fleet: "shop",
  host: "here",
  name: "front",
  subnet: "10.20.30.0/24",
  internal: false,
  dns: [],
};
const pod = (name: string, generation: number, more: Partial<PodFile> = {}): PodFile => ({
  version: 1,
  engine: "one",
  identity: { owner: "me", fleet: "shop", host: "here", pod: name, generation },
  names: [name],
  ports: [],
  ...more,
});

describe("addresses", () => {
  test("a pod gets the same one in each generation, while it is free, and never the network's or the bridge's", () => {
    const { identity } = pod("web", 1);
    const first = chooseAddress("10.0.0.0/16", identity, new Set());
    expect(chooseAddress("10.0.0.0/16", { ...identity, generation: 2 }, new Set())).toBe(first);
    const used = new Set<string>();
    for (let count = 0; count < 5; count += 1)
      used.add(chooseAddress("10.0.0.0/29", identity, used));
    expect([...used].sort()).toEqual([2, 3, 4, 5, 6].map((last) => `10.0.0.${last}`));
    expect(() => chooseAddress("10.0.0.0/29", identity, used)).toThrow(
      /all 5 of 10\.0\.0\.0\/29 are taken/,
    );
  });

  test("a subnet is chosen that nobody has, the same each time", () => {
    const chosen = chooseSubnet(BRIDGE, []);
    expect(chooseSubnet(BRIDGE, [])).toBe(chosen);
    const other = chooseSubnet(BRIDGE, [chosen]);
    expect(subnetsOverlap(chosen, other)).toBe(false);
    expect(() => chooseSubnet(BRIDGE, ["10.0.0.0/8"])).toThrow(/Cannot choose a subnet/);
    expect(rangeOf("10.1.2.3/8")).toEqual({ first: 10 * 2 ** 24, last: 11 * 2 ** 24 - 1 });
    expect([gatewayOf("10.20.30.0/24"), hardwareAddress("10.20.30.1")]).toEqual([
      "10.20.30.1",
      "02:53:0a:14:1e:01",
    ]);
  });
});

describe("rules", () => {
  const web = pod("web", 1, {
    address: "10.20.30.5",
    ports: [
      { host: 80, container: 8080 },
      { host: 53, protocol: "udp", hostIp: "192.0.2.1" },
    ],
  });
  const chains = chainsOf(BRIDGE, NETWORK, [web, pod("stopped", 1, { ports: [{ host: 81 }] })]);

  test("are those of the network's own chains, whole, and lead to them once", () => {
    const text = restoreText(chains, "");
    expect(text).toContain(
      `-A ${BRIDGE}-dnat -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.20.30.5:8080\n`,
    );
    expect(text).toContain(
      `-A ${BRIDGE}-dnat -d 192.0.2.1/32 -p udp -m udp --dport 53 -j DNAT --to-destination 10.20.30.5:53\n`,
    );
    expect(text).not.toContain("--dport 81");
    expect(text).toContain(`-I FORWARD -j ${BRIDGE}-fwd\n`);
    const saved = text.replaceAll(/^-I /gm, "-A ");
    expect(restoreText(chains, saved)).not.toMatch(
      /^-[AI] (?:PREROUTING|OUTPUT|POSTROUTING|FORWARD|INPUT) /m,
    );
    // a chain that is declared is emptied: none but ours ever is
    const declared = [...text.matchAll(/^:(\S+)/gm)].map(([, name]) => name);
    expect(declared.every((name) => name?.startsWith(`${BRIDGE}-`))).toBe(true);
    expect(chains.every((chain) => isComplete(chain, saved))).toBe(true);
    expect(chains.every((chain) => isComplete(chain, saved.replace(/^-A FORWARD.*\n/m, "")))).toBe(
      false,
    );
  });

  test("that somebody put in their place, or in another order, are not theirs", () => {
    const saved = restoreText(chains, "").replaceAll(/^-I /gm, "-A ");
    const isWhole = (text: string) => chains.every((chain) => isComplete(chain, text));
    expect(isWhole(saved.replace(" --dport 80 ", " --dport 80 -s 192.0.2.9/32 "))).toBe(false);
    expect(isWhole(saved.replace("-d 192.0.2.1/32", "-d 192.0.2.2/32"))).toBe(false);
    expect(isWhole(saved.replace(/^(-A \S+-fwd .*\n)(-A \S+-fwd .*\n)/m, "$2$1"))).toBe(false);
    // an iptables may say the options in another order
    expect(isWhole(saved.replace("-p tcp -m tcp --dport 80", "-m tcp --dport 80 -p tcp"))).toBe(
      true,
    );
  });

  test("whose subnet is not declared by its first address are those that are printed", () => {
    const [odd, plain] = ["10.20.30.77/24", "10.20.30.0/24"].map((subnet) =>
      chainsOf(BRIDGE, { ...NETWORK, subnet }, []),
    );
    expect(odd).toEqual(plain);
  });

  test("go with all that leads to them, however somebody wrote it, and nothing else does", () => {
    const saved = `*filter
-A FORWARD -i eth0 -j ACCEPT
-A FORWARD -j ${BRIDGE}-fwd
-A FORWARD -m comment --comment "mine" -j ${BRIDGE}-fwd
-A FORWARD -j ${BRIDGE}x-fwd
COMMIT
`;
    const text = removalText(BRIDGE, saved);
    expect(text.split("\n").filter((line) => line.startsWith("-D"))).toEqual([
      `-D FORWARD -j ${BRIDGE}-fwd`,
      `-D FORWARD -m comment --comment "mine" -j ${BRIDGE}-fwd`,
    ]);
    expect(text.split("\n").filter((line) => line.startsWith("-X"))).toHaveLength(6);
    // others of ours lead to it
    expect(text.indexOf(`-X ${BRIDGE}-dnat`)).toBeGreaterThan(text.indexOf(`-X ${BRIDGE}-pre`));
  });

  test("of others that lead ports elsewhere are read, with their ranges and addresses", () => {
    const rules = `*nat
-A PREROUTING -d 192.0.2.1/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.1:81
-A DOCKER ! -i docker0 -p udp -m multiport --dports 53,100:101 -j DNAT --to-destination 172.17.0.2
-A OUTPUT -p tcp -m tcp --dport 443 -j REDIRECT --to-ports 8443
-A PREROUTING -p tcp -m tcp ! --dport 22 -j DNAT --to-destination 10.0.0.1
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
COMMIT
`;
    expect(
      forwardRules(rules).map(
        ({ chain, protocol, first, last, hostIp }) =>
          `${chain} ${hostIp ?? "*"}:${first}-${last}/${protocol}`,
      ),
    ).toEqual([
      "PREROUTING 192.0.2.1:80-80/tcp",
      "DOCKER *:53-53/udp",
      "DOCKER *:100-101/udp",
      "OUTPUT *:443-443/tcp",
    ]);
  });
});

describe("texts", () => {
  test("names come with every address, of a pod's generations the newest first", () => {
    const pods = [
      pod("web", 1, { address: "10.0.0.2" }),
      pod("web", 2, { address: "10.0.0.3", names: ["web", "www"] }),
      pod("stopped", 9),
    ];
    expect(hostsText(pods).split("\n").slice(2)).toEqual([
      "10.0.0.3\tweb www",
      "10.0.0.2\tweb",
      "",
    ]);
  });

  test("name servers are the declared ones, else the host's that pods can reach", () => {
    const files = (text: string, upstream = "") =>
      new Map([
        ["/etc/resolv.conf", text],
        ["/run/systemd/resolve/resolv.conf", upstream],
      ]);
    expect(resolvText({ ...NETWORK, dns: ["10.0.0.53"] }, files("nameserver 1.1.1.1"))).toBe(
      "nameserver 10.0.0.53\n",
    );
    expect(
      resolvText(
        NETWORK,
        files("# of the host\nsearch a.example\nnameserver 10.9.9.9\nnameserver ::1\n"),
      ),
    ).toBe("search a.example\nnameserver 10.9.9.9\n");
    expect(resolvText(NETWORK, files("nameserver 127.0.0.53\n", "nameserver 10.8.8.8\n"))).toBe(
      "nameserver 10.8.8.8\n",
    );
    expect(resolvText(NETWORK, files("nameserver 127.0.0.1\n"))).toBe("");
    expect(resolvText({ ...NETWORK, internal: true }, files("nameserver 10.9.9.9\n"))).toBe("");
  });
});

test("a look is read in parts; what is no JSON is none", () => {
  const look = readLook(`# forward
1
# links
[{"ifname":"br9","flags":["UP"],"addr_info":[{"family":"inet","local":"10.1.0.1","prefixlen":16},{"family":"inet6","local":"::1"}]},{"ifname":"eth0"}]
# routes
[{"dst":"default","dev":"eth0"},{"dst":"10.1.0.0/16","dev":"br9"},{"dst":"10.7.0.0/24","dev":"eth0"}]
# rules
# Generated by iptables-save
*nat
`);
  expect(look).toMatchObject({ forwards: true, rules: "# Generated by iptables-save\n*nat\n" });
  expect(look.links.get("br9")).toEqual({
    name: "br9",
    master: undefined,
    isUp: true,
    addresses: ["10.1.0.1/16"],
  });
  expect(subnetsOf(look)).toEqual([
    { subnet: "10.1.0.1/16", device: "br9" },
    { subnet: "10.7.0.0/24", device: "eth0" },
  ]);
  expect(readLook("# forward\n0\n# links\noops\n# routes\n# rules\n")).toMatchObject({
    forwards: false,
    routes: [],
  });
});
