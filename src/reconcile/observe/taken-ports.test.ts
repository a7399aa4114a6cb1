import { expect, test } from "vitest";
import { podOf } from "../../../test/support/sim-fleet.ts";
import { openFleet } from "../../../test/support/web-service.ts";

const HOST = { network: { mode: "host" } } as const;
const PORT = { ...HOST, ports: [{ host: 8080 }] } as const;

/** A pod `web` on the host's network, with a process that listens on a port that it did not declare. */
async function listening(
  pidOf: (pid: number) => number,
  cgroups: readonly [own: string, it: string],
) {
  const fleet = openFleet();
  await fleet.apply(fleet.manifest({ a: { web: podOf({}, HOST), other: podOf({}, HOST) } }));
  const machine = fleet.machine("a");
  const pid = machine.read(
    ({ pods }) =>
      Object.values(pods).find(({ identity }) => identity.pod === "web")?.containers["main"]?.pid,
  ) as number;
  await machine.listen(8080, { name: "httpd", pid: pidOf(pid) });
  for (const [at, text] of [
    [pid, cgroups[0]],
    [pidOf(pid), cgroups[1]],
    ["self", "0::/session"],
  ])
    await machine.setFile(`/proc/${at}/cgroup`, { text: String(text) });
  return {
    plan: async (pods: object) =>
      (await fleet.plan(fleet.manifest({ a: pods as never }))).plan.pods,
  };
}

test("a pod may declare a port that it listens on already, by its first process or by another one", async () => {
  for (const pidOf of [(pid: number) => pid, (pid: number) => pid + 1000]) {
    const { plan } = await listening(pidOf, ["0::/x/web", "0::/x/web"]);
    const pods = await plan({ web: podOf({}, PORT), other: podOf({}, HOST) });
    expect(pods).toMatchObject([{ id: "a/web", action: "replace", interrupts: true }]);
  }
});

test("a port that another pod of the fleet listens on is refused, and that pod named", async () => {
  const { plan } = await listening((pid) => pid, ["0::/x/web", "0::/x/web"]);
  await expect(plan({ web: podOf({}, HOST), other: podOf({}, PORT) })).rejects.toThrow(
    /port 8080\/tcp of the host is taken by httpd \(pid \d+\), which is pod web of the fleet/,
  );
});

test("a process beside a container in its user's session is not the container's", async () => {
  const { plan } = await listening((pid) => pid + 1000, ["0::/session", "0::/session"]);
  await expect(plan({ web: podOf({}, PORT), other: podOf({}, HOST) })).rejects.toThrow(
    /port 8080\/tcp of the host is taken by httpd \(pid \d+\); stop that process/,
  );
});
