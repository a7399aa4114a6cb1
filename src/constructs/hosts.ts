/** What a selector looks at. */
export interface SelectableHost {
  readonly hostName: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** What a selector found: names of hosts, and what it asked for in vain. */
export interface Selection {
  readonly hosts: readonly string[];
  /** Why the selection is not what was asked for; absent when it is. */
  readonly problem?: string;
}

/** The label that says that a host is in a group, as a pair: it is in as many as it has such labels. */
export function groupLabel(group: string): readonly [key: string, value: string] {
  return [`group/${group}`, "yes"];
}

/** Chooses hosts of the fleet. */
export class Hosts {
  readonly #select: (hosts: readonly SelectableHost[]) => Selection;

  private constructor(select: (hosts: readonly SelectableHost[]) => Selection) {
    this.#select = select;
  }

  /** Hosts that have all of these labels. */
  static labelled(labels: Readonly<Record<string, string>>): Hosts {
    const wanted = Object.entries(labels);
    const words = wanted.map(([key, value]) => `${key}=${value}`).join(", ");
    return new Hosts((hosts) =>
      matching(
        hosts.filter((host) => wanted.every(([key, value]) => host.labels[key] === value)),
        `no host is labelled ${words}`,
      ),
    );
  }

  /** Hosts of a group of an inventory. */
  static inGroup(group: string): Hosts {
    const [key, value] = groupLabel(group);
    return new Hosts((hosts) =>
      matching(
        hosts.filter((host) => host.labels[key] === value),
        `no host is in group ${group}`,
      ),
    );
  }

  /** These hosts. */
  static named(...names: readonly string[]): Hosts {
    const wanted = [...new Set(names)];
    return new Hosts((hosts) => {
      const missing = wanted.filter((name) => hosts.every(({ hostName }) => hostName !== name));
      const found = hosts.filter(({ hostName }) => wanted.includes(hostName));
      if (missing.length === 0) return matching(found, "no host is named");
      return { hosts: namesOf(found), problem: `there is no host ${missing.join(", ")}` };
    });
  }

  /** Every host of the fleet. */
  static all(): Hosts {
    return new Hosts((hosts) => matching(hosts, "the fleet has no host"));
  }

  /** @internal */
  select(hosts: readonly SelectableHost[]): Selection {
    return this.#select(hosts);
  }
}

function matching(hosts: readonly SelectableHost[], otherwise: string): Selection {
  return { hosts: namesOf(hosts), ...(hosts.length === 0 ? { problem: otherwise } : {}) };
}

function namesOf(hosts: readonly SelectableHost[]): readonly string[] {
  return hosts.map(({ hostName }) => hostName);
}
