import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeWithEngine } from "../set-up/describe-with-engine.ts";
import { buildOwnCli } from "../support/built-cli.ts";
import { NetworkFleet } from "../support/network-fleet.ts";
import { SteadyClient } from "../support/steady-client.ts";

const built = mkdtempSync(join(tmpdir(), "stw-cli-"));
let cli = "";
beforeAll(async () => {
  cli = await buildOwnCli(built);
});
afterAll(() => rmSync(built, { recursive: true, force: true }));

const REPLICAS = [18081, 18082, 18083];
const DOOR = 18080;
const CRASH = "exit 3";
const serve = (page: string) =>
  `mkdir -p /tmp/www; echo ${page} >/tmp/www/index.html; exec httpd -f -p 8080 -h /tmp/www`;

/** Three replicas that say that they are draining, and one pod whose port is handed over. */
function podsOf(script: string, acks: string, rights: object) {
  const left = (name: string) => `while [ ! -e /acks/left-${name} ]; do sleep 0.1; done`;
  const pod = (port: number, drain: string, rest: object) => [
    {
      containers: {
        main: {
          image: "app:1",
          command: ["sh", "-c", script],
          mounts: [{ volume: "acks", path: "/acks", readOnly: true }],
          health: { kind: "http", port: 8080 },
          drain: { command: ["sh", "-c", drain], timeoutMs: 60_000 },
          stopSignal: "SIGKILL",
          ...rights,
        },
      },
      volumes: { acks: { kind: "bind", path: acks } },
      network: { mode: "bridge", name: "front" },
      ports: [{ host: port, container: 8080 }],
      ...rest,
    },
  ];
  const web = { service: "web", rollout: { canary: 1, maxUnavailable: 1, rollback: "all" } };
  const replicas = REPLICAS.map((port, index) => [
    `web-${index + 1}`,
    ...pod(port, `touch /tmp/www/draining; ${left(String(port))}`, web),
  ]);
  const door = { service: "door", rollout: { maxSurge: 1 } };
  return Object.fromEntries([
    ...replicas,
    ["door", ...pod(DOOR, left("$(cat /tmp/www/index.html)"), door)],
  ]);
}

for (const kind of ["containerd", "podman", "rkt"] as const) {
  describeWithEngine(kind, `rollouts on ${kind}`, (engine) => {
    test("a client sees no request fail while services roll out, and while a version that crashes goes back", async () => {
      await using fleet = new NetworkFleet(cli, kind, engine);
      const acks = mkdtempSync(join(fleet.folder, "acks-"));
      const rights = kind === "rkt" ? { security: { privileged: true } } : {};
      fleet.declare(podsOf(serve("first"), acks, rights));
      expect(fleet.run("apply", "--yes")).toMatchObject({ status: 0 });
      await using client = new SteadyClient(fleet.machine, acks, REPLICAS, DOOR);
      while (!existsSync(join(acks, "begun"))) await sleep(50);

      fleet.declare(podsOf(serve("second"), acks, rights));
      const planned = fleet.run("plan");
      expect(planned.said).toMatch(
        /rollout of web {2}3 pods in 3 waves\n {2}canary +here\/web-1\n/,
      );
      expect(planned.said).toContain("start beside the old");
      expect(fleet.run("apply", "--yes")).toMatchObject({ status: 0 });
      expect(fleet.run("plan")).toMatchObject({ status: 0 });

      fleet.declare(podsOf(CRASH, acks, rights));
      const { status, said } = fleet.run("apply", "--yes");
      expect(status).toBe(1);
      expect(said).toContain("the rollout of web was given up: its canary here/web-1 failed");
      expect(said).toMatch(/here\/web-1 +rolled back/);
      expect(said).toMatch(/here\/door +(?:rolled back|failed)/);

      const { asked, failed, pages } = await client.end();
      expect(failed).toEqual([]);
      expect(pages).toEqual(["first", "second"]);
      expect(Math.min(asked.replicas, asked.door)).toBeGreaterThan(20);
      for (const port of [DOOR, ...REPLICAS])
        expect(await fleet.machine.page(`http://127.0.0.1:${port}/`)).toBe("second\n");
      fleet.declare(podsOf(serve("second"), acks, rights));
      expect(fleet.run("plan")).toMatchObject({ status: 0 });
      // nobody is there any more who leaves
      for (const name of [...REPLICAS, "second"]) writeFileSync(join(acks, `left-${name}`), "");
    }, 240_000);
  });
}
