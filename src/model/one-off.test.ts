import { expect, test } from "vitest";
import { oneOffName, oneOffPod, waitingPod } from "./one-off.ts";
import { PodSpec } from "./pod.ts";

const MAIN = {
  image: "example.test/app:1",
  command: ["server"],
  args: ["--port", "80"],
  env: { A: "1", B: { secret: { fromEnv: "B" } } },
  user: "app",
  mounts: [{ volume: "data", path: "/data" }],
  resources: { memoryBytes: 64 * 1024 * 1024 },
  logging: { mode: "none" as const, maxFiles: 3 },
  health: { kind: "tcp" as const, port: 80 },
  drain: { waitMs: 100 },
  dependsOn: { side: "started" as const },
  completeWithinMs: 1000,
};

const POD = PodSpec.parse({
  containers: { main: MAIN, side: { image: "example.test/side:1" } },
  volumes: { data: { kind: "named", name: "data" }, other: { kind: "named", name: "other" } },
  network: { mode: "bridge", name: "front" },
  ports: [{ host: 80, container: 80 }],
  labels: { team: "shop" },
  restart: { policy: "always" },
  dependsOn: ["db"],
  replacement: "start-first",
  service: "web",
});

test("it has what the container works with, and nothing that a second one cannot have", () => {
  const { image, env, user, mounts, resources } = MAIN;
  expect(oneOffPod(POD, { container: "main", args: ["migrate"], env: { A: "2" } })).toEqual({
    containers: {
      main: {
        ...{ image, user, mounts, resources },
        args: ["migrate"],
        env: { ...env, A: "2" },
        logging: { mode: "file", maxFiles: 3 },
        init: true,
      },
    },
    volumes: { data: { kind: "named", name: "data" } },
    network: { mode: "bridge", name: "front" },
    labels: { team: "shop" },
  });
});

test("without a command it runs what is declared; another entry point gets what is given alone", () => {
  const wordsOf = (change: object) => {
    const { command, args } =
      oneOffPod(POD, { container: "main", ...change }).containers["main"] ?? {};
    return { command, args };
  };
  expect(wordsOf({})).toEqual({ command: ["server"], args: ["--port", "80"] });
  expect(wordsOf({ entrypoint: "sh" })).toEqual({ command: ["sh"], args: undefined });
  expect(wordsOf({ entrypoint: "sh", args: ["-c", "ls"] })).toEqual({
    command: ["sh", "-c", "ls"],
    args: undefined,
  });
});

test("one that waits for a command is the same but for what it runs, and is ended at once", () => {
  const once = oneOffPod(POD, { container: "main", args: ["migrate"], env: { A: "2" } });
  const waiting = waitingPod(once, "main");
  const { command, args, stopSignal, ...rest } = waiting.containers["main"] ?? {};
  expect({ args, stopSignal, program: command?.[0] }).toEqual({
    args: undefined,
    stopSignal: "SIGKILL",
    program: "sleep",
  });
  const { args: _, ...declared } = once.containers["main"] ?? {};
  expect(rest).toEqual(declared);
  expect({ ...waiting, containers: {} }).toEqual({ ...once, containers: {} });
});

test("its name is one that a pod may have, however long the other one's is", () => {
  expect(oneOffName("web", "3f9c21")).toBe("web-run-3f9c21");
  const long = oneOffName(`${"a".repeat(51)}-${"b".repeat(11)}`, "3f9c21");
  expect(long).toBe(`${"a".repeat(51)}-run-3f9c21`);
  expect(oneOffName("c".repeat(63), "3f9c21")).toHaveLength(63);
});
