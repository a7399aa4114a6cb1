import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { spread } from "./spread.ts";

const hostNames = fc.uniqueArray(fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/), {
  minLength: 1,
  maxLength: 40,
});
const replicas = fc.integer({ min: 1, max: 120 });

describe("spread()", () => {
  test("gives each host as many pods as any other, or one more", () => {
    fc.assert(
      fc.property(hostNames, replicas, (hosts, count) => {
        const counts = [...spread("web", hosts, count).values()];
        expect(counts.reduce((sum, each) => sum + each, 0)).toBe(count);
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
      }),
    );
  });

  test("does not depend on the order of the hosts", () => {
    fc.assert(
      fc.property(hostNames, replicas, (hosts, count) => {
        const [one, other] = [
          spread("web", hosts, count),
          spread("web", [...hosts].reverse(), count),
        ];
        for (const host of hosts) expect(one.get(host)).toBe(other.get(host));
      }),
    );
  });

  test("moves pods only to a host that comes, and no more than its share", () => {
    fc.assert(
      fc.property(hostNames, replicas, (hosts, count) => {
        const [comes, ...present] = hosts as [string, ...string[]];
        fc.pre(present.length > 0);
        const before = spread("web", present, count);
        const after = spread("web", hosts, count);
        for (const host of present)
          expect(after.get(host)).toBeLessThanOrEqual(before.get(host) ?? 0);
        expect(after.get(comes)).toBeLessThanOrEqual(Math.ceil(count / hosts.length));
      }),
    );
  });

  test("moves only the pods of a host that goes", () => {
    fc.assert(
      fc.property(hostNames, replicas, (hosts, count) => {
        const [goes, ...stay] = hosts as [string, ...string[]];
        fc.pre(stay.length > 0);
        const before = spread("web", hosts, count);
        const after = spread("web", stay, count);
        const gained = stay.map((host) => (after.get(host) ?? 0) - (before.get(host) ?? 0));
        for (const each of gained) expect(each).toBeGreaterThanOrEqual(0);
        expect(gained.reduce((sum, each) => sum + each, 0)).toBe(before.get(goes));
      }),
    );
  });

  test("chooses other hosts for another service", () => {
    const hosts = Array.from({ length: 50 }, (_, index) => `host-${index}`);
    const chosen = (service: string) =>
      [...spread(service, hosts, 5)]
        .filter(([, count]) => count > 0)
        .map(([host]) => host)
        .sort();
    expect(chosen("web")).not.toEqual(chosen("api"));
  });
});
