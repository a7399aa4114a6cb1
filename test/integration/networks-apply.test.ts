import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeWithEngine } from "../set-up/describe-with-engine.ts";
import { buildOwnCli } from "../support/built-cli.ts";
import { CniFolder, cniTraces } from "../support/cni-folder.ts";
import { NetworkFleet } from "../support/network-fleet.ts";

const built = mkdtempSync(join(tmpdir(), "stw-cli-"));
let cli = "";
beforeAll(async () => {
  cli = await buildOwnCli(built);
});
afterAll(() => rmSync(built, { recursive: true, force: true }));

const page = (text: string) => ({
  image: "app:1",
  command: [
    "sh",
    "-c",
    `mkdir -p /tmp/www && echo ${text} >/tmp/www/index.html && exec httpd -f -p 8080 -h /tmp/www`,
  ],
  stopSignal: "SIGKILL",
});

for (const kind of ["containerd", "podman", "rkt"] as const) {
  describeWithEngine(kind, `networks applied on ${kind}`, (engine) => {
    test("a fleet in a network is applied, its drift told and mended, clashes refused, and all of it goes", async () => {
      await using fleet = new NetworkFleet(cli, kind, engine);
      using cni = new CniFolder();
      const { machine } = fleet;
      const web = {
        containers: {
          main: {
            ...page("first"),
            health: { kind: "http", port: 8080 },
            ...(kind === "rkt" ? { security: { privileged: true } } : {}),
          },
        },
        network: { mode: "bridge", name: "front" },
        ports: [{ host: 18080, container: 8080 }],
      };
      const lan = {
        ...web,
        containers: { main: { ...web.containers.main, ...page("lan") } },
        network: { mode: "cni", cni: cni.network },
        ports: [{ host: 18085, container: 8080 }],
      };
      fleet.declare({ web, lan });
      expect(fleet.run("apply", "--yes")).toMatchObject({ status: 0 });
      expect(await machine.page("http://127.0.0.1:18080/")).toBe("first\n");
      expect(await machine.page("http://127.0.0.1:18085/")).toBe("lan\n");
      expect(fleet.run("plan")).toMatchObject({ status: 0 });
      machine.sh("iptables -t nat -F");
      const { said, status } = fleet.run("plan");
      expect(said).toContain("the rule that forwards host port 18080/tcp to it was removed");
      expect(said).toContain("a rule that forwards a host port to it was removed");
      expect(status).toBe(2);
      expect(fleet.run("apply", "--yes")).toMatchObject({ status: 0 });
      expect(fleet.run("plan")).toMatchObject({ status: 0 });
      expect(await machine.page("http://127.0.0.1:18080/")).toBe("first\n");
      expect(await machine.page("http://127.0.0.1:18085/")).toBe("lan\n");
      fleet.declare({
        lan,
        web: { ...web, containers: { main: { ...web.containers.main, ...page("second") } } },
      });
      const replaced = fleet.run("apply", "--yes");
      expect(replaced).toMatchObject({ status: 0 });
      expect(await machine.page("http://127.0.0.1:18080/")).toBe("second\n");
      expect(fleet.run("plan")).toMatchObject({ status: 0 });
      machine.sh(
        "iptables -t nat -A PREROUTING -p tcp --dport 18090 -j DNAT --to-destination 10.9.9.9:1",
      );
      machine.sh("ip address add 10.77.0.1/24 dev lo");
      fleet.declare(
        {
          web,
          more: { ...web, ports: [{ host: 18090 }] },
          lan: { ...lan, network: { mode: "cni", cni: { ...cni.network, name: "wan" } } },
        },
        { front: { subnet: "10.77.0.0/16" } },
      );
      const refused = fleet.run("plan");
      expect(refused.status).toBe(1);
      expect(refused.said).toContain("a rule of chain PREROUTING, which leads it to 10.9.9.9:1");
      expect(refused.said).toContain("10.77.0.0/24 (interface lo)");
      expect(refused.said).toContain(`Cannot find CNI network "wan" in ${cni.configDir}`);
      fleet.declare({});
      expect(fleet.run("apply", "--yes", "--allow-removals", "9")).toMatchObject({ status: 0 });
      expect(machine.traces().filter((line) => line.includes("stw-"))).toEqual([]);
      expect([...cniTraces(machine.sh("iptables-save")), ...cni.leases()]).toEqual([]);
    }, 120_000);
  });
}
