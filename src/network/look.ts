import * as z from "zod";
import { rangeOf } from "../model/index.ts";

/** An interface of the host. */
export interface Link {
  readonly name: string;
  readonly master: string | undefined;
  readonly isUp: boolean;
  /** As `address/bits`. */
  readonly addresses: readonly string[];
}

/** What a look at the host's network showed. */
export interface Look {
  readonly forwards: boolean;
  readonly links: ReadonlyMap<string, Link>;
  /** Subnets that an interface leads to, and its name. */
  readonly routes: readonly { readonly subnet: string; readonly device: string }[];
  /** As iptables-save printed them. */
  readonly rules: string;
}

const Links = z.array(
  z.looseObject({
    ifname: z.string(),
    flags: z.array(z.string()).default([]),
    master: z.string().optional(),
    addr_info: z
      .array(
        z.looseObject({
          family: z.string().optional(),
          local: z.string().optional(),
          prefixlen: z.number().optional(),
        }),
      )
      .default([]),
  }),
);

const Routes = z.array(z.looseObject({ dst: z.string().optional(), dev: z.string().optional() }));

/** Reads what the script printed; what it could not say is empty. */
export function readLook(text: string): Look {
  const parts = new Map(
    text.split(/^# (?=(?:forward|links|routes)$)/m).map((part) => {
      const end = part.indexOf("\n");
      return [part.slice(0, end), part.slice(end + 1)] as const;
    }),
  );
  // rules come last, and have comments of their own
  const [routes = "", ...rules] = (parts.get("routes") ?? "").split("# rules\n");
  const links = parseList(Links, parts.get("links")).map(
    ({ ifname, flags, master, addr_info }): Link => ({
      name: ifname,
      master,
      isUp: flags.includes("UP"),
      addresses: addr_info.flatMap(({ family, local, prefixlen }) =>
        family === "inet" && local !== undefined ? [`${local}/${prefixlen ?? 32}`] : [],
      ),
    }),
  );
  return {
    forwards: parts.get("forward")?.trim() === "1",
    links: new Map(links.map((link) => [link.name, link])),
    routes: parseList(Routes, routes).flatMap(({ dst, dev }) =>
      dst !== undefined && /^[0-9.]+(?:\/\d+)?$/.test(dst)
        ? [{ subnet: dst, device: dev ?? "" }]
        : [],
    ),
    rules: rules.join("# rules\n"),
  };
}

/** Subnets that the host has or reaches, each once, with the interface. */
export function readSubnets(
  text: string,
): readonly { readonly subnet: string; readonly device: string }[] {
  return subnetsOf(readLook(text));
}

/** The same of a look. */
export function subnetsOf({
  links,
  routes,
}: Look): readonly { readonly subnet: string; readonly device: string }[] {
  const own = [...links.values()].flatMap(({ name, addresses }) =>
    addresses.map((subnet) => ({ subnet, device: name })),
  );
  const seen = new Map<string, { readonly subnet: string; readonly device: string }>();
  for (const each of [...own, ...routes]) {
    const { first, last } = rangeOf(each.subnet);
    const key = `${first}-${last}`;
    if (!seen.has(key)) seen.set(key, each);
  }
  return [...seen.values()];
}

/** A rule that leads a port of the host elsewhere. */
export interface ForwardRule {
  readonly chain: string;
  readonly protocol: "tcp" | "udp";
  readonly first: number;
  readonly last: number;
  readonly hostIp?: string;
  readonly to: string;
}

/** Rules of anyone that lead ports elsewhere, from what iptables-save printed. */
export function forwardRules(rules: string): readonly ForwardRule[] {
  return rules.split("\n").flatMap((line): ForwardRule[] => {
    const chain = /^-A (\S+) /.exec(line)?.[1];
    const target = /-j (?:DNAT --to-destination (\S+)|REDIRECT(?: --to-ports (\S+))?)/.exec(line);
    const protocol = / -p (tcp|udp) /.exec(line)?.[1];
    const ports = / --(?:dport|dports) ([\d:,]+)/.exec(line)?.[1];
    // one that speaks of all but these leads nothing of them
    if (chain === undefined || target === null || ports === undefined || / ! --dports? /.test(line))
      return [];
    if (protocol !== "tcp" && protocol !== "udp") return [];
    const hostIp = /(?:^| )-d ([0-9.]+)\/32 /.exec(line)?.[1];
    const to = target[1] ?? `port ${target[2] ?? ports} of the host`;
    return ports.split(",").map((part) => {
      const [first = 0, last = first] = part.split(":").map(Number);
      return { chain, protocol, first, last, to, ...(hostIp === undefined ? {} : { hostIp }) };
    });
  });
}

function parseList<T>(schema: z.ZodType<T[]>, text = ""): readonly T[] {
  try {
    return schema.safeParse(JSON.parse(text)).data ?? [];
  } catch {
    return [];
  }
}
