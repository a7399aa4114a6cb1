import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { type Launch, launchScript, WAIT_FOR_CHILD } from "./launch-script.ts";

const LAUNCH: Launch = {
  container: "main",
  app: "stw-web-main-1-abc",
  cgroups: { version: 1, systemd: false, scope: "stw-rkt-0" },
  limits: [["/sys/fs/cgroup/pids/stw-rkt-0/stw-web-main-1-abc/pids.max", "9"]],
  command: ["rkt", "--dir=/it's here", "run-prepared", "UUID"],
  network: "new",
  hostname: "web",
  noNewPrivileges: true,
  rlimits: ["--nofile=9:9"],
  oomScoreAdj: 5,
  stopSignal: 15,
  logging: { mode: "file", maxBytes: 4096, maxFiles: 2 },
  podDir: "/var/lib/stowage/rkt/pods/x",
  logDir: "/var/lib/stowage/rkt/logs/x",
  logWriter: "/var/lib/stowage/rkt/bin/log-writer",
  pipeDir: "/run/stowage/rkt/pipes",
};

describe("launchScript()", () => {
  test("gives the app's output to a writer of its own, and never to a pipe that Stowage may close", () => {
    const text = launchScript(LAUNCH);
    expect(text).toContain("mkfifo /run/stowage/rkt/pipes/stw-web-main-1-abc.out");
    // a writer that ends does not end the app
    expect(text).toContain("|| { cat <&4 & cat <&3; }");
    expect(text).toContain("</dev/null &");
  });

  test("is no program of whoever started it: it stays where that is killed", () => {
    expect(launchScript(LAUNCH)).toMatch(/^unset (?:\w+ )*STOWAGE_LOCK$/m);
  });

  test("keeps nothing where that is declared", () => {
    const text = launchScript({ ...LAUNCH, logging: { ...LAUNCH.logging, mode: "none" } });
    expect(text).not.toContain("mkfifo");
    expect(text).toContain(">&6 2>&7 </dev/null &");
  });

  test("writes down how it ended, after the last of the output and in one instant", () => {
    const text = launchScript(LAUNCH);
    expect(text.indexOf("wait $child")).toBeLessThan(text.indexOf("finish $code"));
    expect(text).toContain("mv .main.exit main.exit");
  });

  test("the process is in its cgroups, limits and all, before rkt is run", () => {
    const text = launchScript(LAUNCH);
    const at = (part: string): number => text.indexOf(part);
    expect(at("pids.max")).toBeGreaterThan(0);
    expect(at("pids.max")).toBeLessThan(at("unshare --mount --uts --net"));
    expect(at("unshare --mount --uts --net")).toBeLessThan(at("cgroup.procs || exit 125"));
    expect(at("cgroup.procs || exit 125")).toBeLessThan(at("prlimit --nofile=9:9"));
    expect(at("prlimit --nofile=9:9")).toBeLessThan(at("run-prepared"));
  });

  test("a pod in the host's network keeps it, and one of several containers joins theirs", () => {
    expect(launchScript({ ...LAUNCH, network: "host" })).not.toContain("--net");
    const joined = launchScript({ ...LAUNCH, network: { file: "/run/stowage/rkt/netns/x" } });
    expect(joined).toContain("nsenter --net=/run/stowage/rkt/netns/x unshare --mount --uts sh -c");
  });
});

describe("WAIT_FOR_CHILD", () => {
  const supervised = (command: string) => `trap : TERM
sh -c ${JSON.stringify(command)} &
child=$!
trap 'kill $child' TERM
echo watched
${WAIT_FOR_CHILD}
echo "ended with $code"`;

  /** What supervisors say when they are asked to end what they supervise. */
  async function asked(command: string, count: number): Promise<readonly string[]> {
    const said = Array.from({ length: count }, async () => {
      const child = spawn("sh", ["-c", supervised(command)], {
        stdio: ["ignore", "pipe", "ignore"],
      });
      let text = "";
      let isAsked = false;
      child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
        if (!isAsked && text.includes("ready") && text.includes("watched")) {
          isAsked = child.kill("SIGTERM");
        }
      });
      await once(child, "close");
      return text.trimEnd().split("\n").at(-1) ?? "";
    });
    return [...new Set(await Promise.all(said))];
  }

  test("tells the end of what was asked to end, not the signal that asked for it", async () => {
    expect(
      await asked("trap 'kill $!; exit 7' TERM; sleep 99 >/dev/null & echo ready; wait", 60),
    ).toEqual(["ended with 7"]);
  });

  test("tells a signal that it died of, and the code of what ended by itself", async () => {
    expect(await asked("echo ready; exec sleep 99", 3)).toEqual(["ended with 143"]);
    expect(await asked("exit 127", 1)).toEqual(["ended with 127"]);
  });
});
