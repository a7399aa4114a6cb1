import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { describeWithEngine } from "../set-up/describe-with-engine.ts";
import { RktWorld, type StartedPod } from "../support/rkt/rkt-world.ts";

/** The pod's process number one, which is its supervisor's only child. */
function podLeader(pod: StartedPod): number {
  return Number(readFileSync(`/proc/${pod.pid}/task/${pod.pid}/children`, "utf8").trim());
}

function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

async function gone(pid: number): Promise<void> {
  while (isAlive(pid)) await delay(10);
}

/** Writes a manifest of apps that each run a shell. */
async function shells(world: RktWorld, apps: Readonly<Record<string, string>>): Promise<string> {
  const id = await world.image("bb");
  const environment = [{ name: "PATH", value: "/bin" }];
  const manifest = {
    acVersion: "0.8.11",
    acKind: "PodManifest",
    apps: Object.entries(apps).map(([name, script]) => ({
      name,
      image: { id },
      app: { exec: ["/bin/sh", "-c", script], user: "0", group: "0", environment },
    })),
    volumes: [],
    isolators: [],
    annotations: [],
    ports: [],
  };
  const path = join(world.root, "manifests/shells.json");
  writeFileSync(path, JSON.stringify(manifest));
  return (await world.must(["prepare", "--quiet", `--pod-manifest=${path}`])).stdout.trim();
}

async function codes(world: RktWorld, uuid: string): Promise<readonly string[]> {
  const { stdout } = await world.must(["status", uuid]);
  return stdout
    .split("\n")
    .filter((line) => /^(state|app-)/.test(line))
    .toSorted();
}

describeWithEngine("rkt", "a pod of rkt's", (rkt) => {
  // rkt's own host flavour needs systemd; what is told here was recorded with it
  const onDouble = test.runIf(rkt.isDouble);

  onDouble.for(["SIGTERM", "SIGINT"] as const)("ends in order, with 0, on %s", async (signal) => {
    await using world = new RktWorld(rkt);
    const uuid = await shells(world, { a: "echo up; sleep 1000" });
    const pod = await world.start(uuid);
    await pod.says("up");
    process.kill(pod.pid, signal);
    expect(await pod.exitCode).toBe(0);
    expect(await codes(world, uuid)).toEqual(["app-a=0", "state=exited"]);
  });

  onDouble.for([
    ["SIGKILL", 137],
    ["SIGHUP", 129],
  ] as const)(
    "goes on without its supervisor after %s, and is told to have exited",
    async ([signal, code]) => {
      await using world = new RktWorld(rkt);
      const uuid = await shells(world, { a: "echo up; sleep 1000" });
      const pod = await world.start(uuid);
      await pod.says("up");
      const leader = podLeader(pod);
      process.kill(pod.pid, signal);
      expect(await pod.exitCode).toBe(code);
      expect(isAlive(leader)).toBe(true);
      expect(await codes(world, uuid)).toEqual(["state=exited"]);
      expect((await world.run(["stop", uuid])).stdout).toContain("already stopped");
      process.kill(leader, "SIGKILL");
      await gone(leader);
    },
  );

  onDouble("is over, with 1 and no code, when its first process is killed", async () => {
    await using world = new RktWorld(rkt);
    const uuid = await shells(world, { a: "echo up; sleep 1000" });
    const pod = await world.start(uuid);
    await pod.says("up");
    process.kill(podLeader(pod), "SIGKILL");
    expect(await pod.exitCode).toBe(1);
    expect(await codes(world, uuid)).toEqual(["state=exited"]);
  });

  onDouble("ends with the bare number of the signal that killed its app", async () => {
    await using world = new RktWorld(rkt);
    const uuid = await shells(world, { a: "kill -9 $$" });
    expect((await world.run(["run-prepared", "--net=none", uuid])).exitCode).toBe(9);
    expect(await codes(world, uuid)).toEqual(["app-a=9", "state=exited"]);
  });

  onDouble("ends with its first app that fails, and not with one that succeeds", async () => {
    await using world = new RktWorld(rkt);
    const failing = await shells(world, { a: "sleep 0.5; exit 3", b: "sleep 1000" });
    expect((await world.run(["run-prepared", "--net=none", failing])).exitCode).toBe(3);
    expect(await codes(world, failing)).toEqual(["app-a=3", "app-b=0", "state=exited"]);
    const patient = await shells(world, { a: "exit 0", b: "sleep 0.5; echo end" });
    expect((await world.run(["run-prepared", "--net=none", patient])).stdout).toContain("end");
  });

  onDouble("leaves no code and can be removed at once after stop --force", async () => {
    await using world = new RktWorld(rkt);
    const uuid = await shells(world, { a: "echo up; sleep 1000" });
    const pod = await world.start(uuid);
    await pod.says("up");
    await world.must(["stop", "--force", uuid]);
    await pod.exitCode;
    expect(await codes(world, uuid)).toEqual(["state=exited"]);
    expect((await world.run(["rm", uuid])).stdout).toBe(`"${uuid}"\n`);
  });

  onDouble("is prepared once and runs once, whoever comes first", async () => {
    await using world = new RktWorld(rkt);
    const uuid = await shells(world, { a: "sleep 0.5" });
    const runs = await Promise.all(
      [1, 2, 3].map(() => world.run(["run-prepared", "--net=none", uuid])),
    );
    expect(runs.map(({ exitCode }) => exitCode).toSorted()).toEqual([0, 254, 254]);
    for (const { stderr } of runs.filter(({ exitCode }) => exitCode !== 0)) {
      expect(stderr).toContain(`pod "${uuid}" is not prepared`);
    }
  });

  onDouble("one app without a command makes the list of all pods panic", async () => {
    await using world = new RktWorld(rkt);
    await world.prepare("noapp.json");
    const { exitCode, stdout, stderr } = await world.run(["list", "--format=json"]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
    expect(stderr).toMatch(/^panic: runtime error: invalid memory address or nil pointer/);
  });

  onDouble("ports of a pod without a network stop its start", async () => {
    await using world = new RktWorld(rkt);
    const { exitCode, stderr } = await world.run([
      "run-prepared",
      "--net=none",
      await world.prepare("pm1.json"),
    ]);
    expect(exitCode).toBe(254);
    expect(stderr).toContain("stage1: failed to setup network: no networks found\n");
  });

  onDouble("what no transcript has is refused: a flag, a value, a command, a field", async () => {
    await using world = new RktWorld(rkt);
    const file = await world.manifest("seven.json", "bb");
    const manifest = JSON.parse(readFileSync(file, "utf8")) as { apps: { app: object }[] };
    Object.assign(manifest.apps[0]?.app ?? {}, { eventHandlers: [] });
    writeFileSync(join(world.root, "manifests/handlers.json"), JSON.stringify(manifest));
    const refused = await Promise.all([
      world.run(["run", "--hostname=x", "--pod-manifest=seven.json"]),
      world.run(["--insecure-options=ondisk", "list"]),
      world.run(["config"]),
      world.run(["prepare", "--quiet", "--pod-manifest=handlers.json"]),
      world.run(["run-prepared", await world.prepare("seven.json")]),
    ]);
    for (const { exitCode, stderr } of refused) {
      expect(stderr).toMatch(/rkt-double: .* no transcript shows|unknown command/);
      expect(exitCode).toBe(254);
    }
  });
});
