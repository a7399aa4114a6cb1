import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { StowageError } from "../../errors/index.ts";
import {
  ImageInspectAnswer,
  ImagesAnswer,
  InspectAnswer,
  type InspectedContainer,
  PodPsAnswer,
  PsAnswer,
} from "./cli/answers.ts";
import { parseAnswer } from "./cli/parse-answer.ts";
import { podmanError, reasonOf } from "./cli/podman-error.ts";
import { K8sLines } from "./logs/k8s-lines.ts";
import { containerState, endOf, isLost } from "./pods/container-state.ts";
import { environmentInput } from "./pods/environment-arguments.ts";
import { type Life, lifeOf } from "./pods/life.ts";
import { graphRootOf, ulimitsOf, withDefaultUlimits } from "./store/machine-facts.ts";

const FIXTURES = join(import.meta.dirname, "../../../test/fixtures/podman/4.3.1");
const recorded = (file: string): string => readFileSync(join(FIXTURES, file), "utf8");

const SOURCE = { doing: "list containers", from: '"podman ps"' };
const INSPECTED = parseAnswer(recorded("inspect.json"), InspectAnswer, SOURCE);
const inspected = (name: string): InspectedContainer => {
  const found = INSPECTED.find(({ Name }) => Name === name);
  if (found === undefined) throw new Error(`Nothing was recorded of ${name}`);
  return found;
};

const ALIVE: Life = { alive: true, waiting: false, watched: true, cgroupPath: "/x" };
const DEAD: Life = { alive: false, waiting: false, watched: false, cgroupPath: "" };

describe("what podman 4.3 answers", () => {
  test("its lists are read as far as they are used", () => {
    const list = parseAnswer(recorded("ps.json"), PsAnswer, SOURCE);
    expect(
      list.filter(({ IsInfra }) => !IsInfra).map(({ Names, State }) => [Names[0], State]),
    ).toEqual(
      expect.arrayContaining([
        ["stw-run", "running"],
        ["stw-new", "created"],
        ["stw-wait", "initialized"],
        ["stw-end", "exited"],
      ]),
    );
    expect(list.find(({ IsInfra }) => IsInfra)?.PodName).toBe("stw-pod");
    expect(parseAnswer(recorded("pod-ps.json"), PodPsAnswer, SOURCE)).toMatchObject([
      { Name: "stw-pod" },
    ]);
    expect(parseAnswer(recorded("images.json"), ImagesAnswer, SOURCE).length).toBeGreaterThan(0);
    expect(parseAnswer(recorded("image-inspect.json"), ImageInspectAnswer, SOURCE)).toHaveLength(1);
  });

  test("a stop signal is a number there, and a name from 5.0 on; other forms of either are not looked at", () => {
    const [first] = JSON.parse(recorded("inspect.json")) as { Config: object; State: object }[];
    const newer = { ...first?.Config, Entrypoint: ["/bin/sh", "-c"], StopSignal: "SIGTERM" };
    const State = { ...first?.State, Health: null };
    const read = (found: unknown) =>
      parseAnswer(JSON.stringify([found]), InspectAnswer, SOURCE)[0]?.Config.StopSignal;
    expect(read(first)).toBe(15);
    expect(read({ ...first, Config: newer, State })).toBe("SIGTERM");
  });

  test("null in place of an empty list is an empty list", () => {
    expect(parseAnswer("null", PsAnswer, SOURCE)).toEqual([]);
  });

  test.each([
    ["cut short", recorded("ps.json").slice(0, 200)],
    ["free text before it", `Warning: something\n${recorded("ps.json")}`],
    ["nothing at all", ""],
    ["the literal word json", "json"],
    ["another form", '[{"Id":7}]'],
  ])("%s is an error, never an empty list", (_, answer) => {
    expect(() => parseAnswer(answer, PsAnswer, SOURCE)).toThrow(
      expect.objectContaining({ code: "internal" }),
    );
  });
});

describe("containerState()", () => {
  test.each([
    ["stw-run", ALIVE, "running"],
    ["stw-new", DEAD, "exited"],
    ["stw-wait", { ...ALIVE, waiting: true }, "prepared"],
    ["stw-end", DEAD, "exited"],
  ] as const)("%s is as it was recorded", (name, life, state) => {
    expect(containerState(inspected(name), life)).toBe(state);
  });

  test("a dead process that podman calls running is not running", () => {
    const found = inspected("stw-run");
    expect(containerState(found, DEAD)).toBe("exited");
    expect(isLost(found, DEAD)).toBe(true);
    expect(endOf(found)).toEqual({});
  });

  test("how a process ended that has just died is not known until its watcher says so", () => {
    expect(containerState(inspected("stw-run"), { ...DEAD, watched: true })).toBe("unknown");
  });

  test("a process that runs though podman says it waits is running", () => {
    expect(containerState(inspected("stw-wait"), ALIVE)).toBe("running");
  });

  test("a state of a later version is unknown, which never means gone", () => {
    const found = inspected("stw-run");
    const State = { ...found.State, Status: "hibernating" };
    expect(containerState({ ...found, State }, ALIVE)).toBe("unknown");
  });

  test("an exit that a reboot made up is not told", () => {
    expect(endOf(inspected("stw-end"))).toMatchObject({ exitCode: 3 });
    const found = inspected("stw-end");
    const State = { ...found.State, ExitCode: 0, FinishedAt: "0001-01-01T00:00:00Z" };
    expect(endOf({ ...found, State })).toEqual({});
    expect(endOf({ ...found, State: { ...found.State, ExitCode: -1 } })).not.toHaveProperty(
      "exitCode",
    );
  });
});

describe("lifeOf()", () => {
  const found = inspected("stw-run");
  const { Pid, ConmonPid, CgroupPath } = found.State;
  const files = (cgroup: string, stat = `${Pid} (sh) S 1`) =>
    new Map([
      [`/proc/${Pid}/cgroup`, cgroup],
      [`/proc/${Pid}/stat`, stat],
      [`/proc/${Pid}/cmdline`, "/bin/sh\0-c\0x"],
      [`/proc/${ConmonPid}/cmdline`, `/usr/bin/conmon\0-c\0${found.Id}`],
    ]);

  test("knows a container's process by its cgroup", () => {
    expect(lifeOf(found, files(`4:memory:${CgroupPath}\n`))).toEqual({
      alive: true,
      waiting: false,
      watched: true,
      cgroupPath: CgroupPath,
    });
  });

  test("a number that has come to another process is not the container's", () => {
    expect(lifeOf(found, files("4:memory:/system.slice\n")).alive).toBe(false);
  });

  test("a number that has come to another process than its conmon is not what watches it", () => {
    const all = files(`4:memory:${CgroupPath}\n`);
    all.set(`/proc/${ConmonPid}/cmdline`, `/usr/bin/conmon\0-c\0${"0".repeat(64)}`);
    expect(lifeOf(found, all)).toMatchObject({ alive: true, watched: false });
  });

  test("a zombie does not live", () => {
    const stat = `${Pid} (sh) Z 1`;
    expect(lifeOf(found, files(`4:memory:${CgroupPath}\n`, stat)).alive).toBe(false);
  });
});

describe("podmanError()", () => {
  test.each([
    ['no container with name or ID "x" found: no such container', "not_found"],
    ["9a70: image not known", "not_found"],
    [
      'creating container storage: the container name "x" is already in use by 3f',
      "already_exists",
    ],
    ['name "x" is in use: container already exists', "already_exists"],
    ["statfs /nope: no such file or directory", "failed_precondition"],
    [
      'runc: exec: "/x": stat /x: no such file or directory: OCI runtime attempted to invoke a command that was not found',
      "failed_precondition",
    ],
    [
      'building local pause image: finding pause binary: exec: "catatonit": executable file not found in $PATH',
      "failed_precondition",
    ],
    ["something new", "internal"],
  ])("%s", (text, code) => {
    expect(
      podmanError("do it", ["ps"], { exitCode: 125, stderr: `Error: ${text}\n` }),
    ).toMatchObject({
      code,
    });
  });

  test("warnings before the reason are not it, and a flood of them is cut", () => {
    const stderr = `${'time="x" level=warning msg="noise"\n'.repeat(1000)}Error: the reason\n`;
    expect(reasonOf({ exitCode: 125, stderr })).toBe("the reason");
    expect(reasonOf({ exitCode: 125, stderr: "x".repeat(10_000_000) }).length).toBeLessThan(1000);
    expect(reasonOf({ exitCode: 3, stderr: "" })).toContain("3");
  });
});

describe("environmentInput()", () => {
  const read = async (stdin: AsyncIterable<Uint8Array>): Promise<string> => {
    const parts: Uint8Array[] = [];
    for await (const part of stdin) parts.push(part);
    return Buffer.concat(parts).toString();
  };

  test("no value is in an argument", async () => {
    const input = environmentInput({ A: "hunter2", KEY: "-----\nhunter2\n" }, "main");
    expect(input.args.join(" ")).not.toContain("hunter2");
    expect(await read(input.stdin)).toBe("A=hunter2\n");
    expect(input.env).toEqual({ KEY: "-----\nhunter2\n" });
  });

  test("a value that podman itself would go by is refused where a file cannot hold it", () => {
    expect(() => environmentInput({ CONTAINERS_CONF: "a\nb" }, "main")).toThrow(StowageError);
  });
});

describe("K8sLines", () => {
  test("puts a recorded log together, of both streams", () => {
    const lines = new K8sLines();
    const whole = recorded("ctr.log")
      .trimEnd()
      .split("\n")
      .flatMap((record) => lines.add(record) ?? []);
    expect(whole.sort()).toEqual(["err", "out"]);
    expect(lines.rest()).toEqual(["part"]);
  });

  test("half a record is no line", () => {
    expect(new K8sLines().add("2026-11-25T12:0")).toBeUndefined();
  });
});

describe("the machine's facts", () => {
  test("the store is where storage.conf says, else where podman puts it", () => {
    expect(graphRootOf('[storage]\ngraphroot = "/data/c"\n', "0", "/root")).toBe("/data/c");
    expect(graphRootOf('# graphroot = "/data/c"\n', "0", "/root")).toBe(
      "/var/lib/containers/storage",
    );
    expect(graphRootOf("", "1000", "/home/a")).toBe("/home/a/.local/share/containers/storage");
  });

  test("limits are named only where podman could not raise them and nobody set any", () => {
    const limits = "Max open files            1024                 20000                files\n";
    expect(ulimitsOf("CapEff:\t0000000000000000\n", limits, "", "0")[0]).toBe("nofile=20000:20000");
    expect(ulimitsOf("CapEff:\t000001ffffffffff\n", limits, "", "0")).toEqual([]);
    expect(ulimitsOf("CapEff:\t0\n", limits, "default_ulimits = []\n", "0")).toEqual([]);
  });

  test("the user's containers.conf is kept, with the limits in its table", () => {
    expect(withDefaultUlimits("", ["nofile=1:1"])).toBe(
      '[containers]\ndefault_ulimits = ["nofile=1:1"]\n',
    );
    expect(withDefaultUlimits('[containers]\ntz = "UTC"\n', ["a=1:1"])).toBe(
      '[containers]\ndefault_ulimits = ["a=1:1"]\ntz = "UTC"\n',
    );
  });
});
