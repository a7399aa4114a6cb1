import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { describeWithEngine } from "../set-up/describe-with-engine.ts";
import { buildOwnCli } from "../support/built-cli.ts";
import { openLab } from "../support/engines/open-lab.ts";
import { RealFleet } from "../support/real-fleet.ts";

const PROGRAM = join(import.meta.dirname, "containerd-pods/relay-process.ts");
const WAIT = { timeout: 20_000 };
const RKT = {
  security: { privileged: true, seccomp: "unconfined", noNewPrivileges: false, unmaskPaths: true },
};

test("of an exec that is killed before its command runs neither pipes nor copiers stay", async () => {
  const folder = mkdtempSync(join(tmpdir(), "stw-relay-"));
  const dir = join(folder, "stw-exec-1");
  const child = spawn(process.execPath, ["--import", "tsx", PROGRAM, dir], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(async () => {
    await killed(child);
    for (const pid of programsAbout(dir)) process.kill(Number(pid), "SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  });
  const [said] = (await once(child.stdout, "data")) as [Buffer];
  expect(said.toString()).toBe("open\n");
  expect(readdirSync(dir).sort()).toEqual(["err", "in", "out"]);
  await killed(child);
  await expect.poll(() => existsSync(dir), WAIT).toBe(false);
  await expect.poll(() => programsAbout(dir), WAIT).toEqual([]);
});

for (const kind of ["containerd", "podman", "rkt"] as const) {
  describeWithEngine(kind, `stowage exec that is killed, on ${kind}`, (engine) => {
    let folder: string;
    let cli: string;

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), "stw-exec-"));
      cli = await buildOwnCli(folder);
    });
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    test("its command ends, which has given up its environment, and what that began", async () => {
      await using fleet = new RealFleet((places) => [openLab(kind, engine, places)]);
      fleet.image("app:1");
      const main = {
        image: "app:1",
        command: ["/bin/sh", "-c", "sleep 100000"],
        stopSignal: "SIGKILL",
        ...(kind === "rkt" ? RKT : {}),
      };
      const manifest = fleet.manifest({ web: { containers: { main } } });
      expect((await fleet.apply(manifest)).status).toBe("done");
      const seconds = String(100_000 + process.pid);
      // the one in brackets is nobody's child any more
      const began = `env -i /bin/sleep ${seconds} & (env -i /bin/sleep ${seconds} &); sleep ${seconds}`;
      const source = `exec env -i /bin/sh -c "echo begun; ${began}"`;
      const words = ["exec", "web", "-f", fleet.write("fleet", manifest), "--", "/bin/sh", "-c"];
      const child = spawn(process.execPath, [cli, ...words, source], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      onTestFinished(async () => await killed(child));
      const [said] = (await once(child.stdout, "data")) as [Buffer];
      expect(said.toString()).toBe("begun\n");
      await expect.poll(() => sleeping(seconds).length, WAIT).toBe(3);
      await killed(child);
      await expect.poll(() => sleeping(seconds), WAIT).toEqual([]);
      // the container itself goes on
      expect(await fleet.pidOf(manifest, "web", "main")).toBeGreaterThan(0);
    });
  });
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "close");
  child.kill("SIGKILL");
  await ended;
}

function sleeping(seconds: string): readonly string[] {
  return programsAbout(`sleep\0${seconds}\0`);
}

/** Ids of the processes with this in their command line. */
function programsAbout(text: string): readonly string[] {
  return readdirSync("/proc").filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(text);
    } catch {
      return false;
    }
  });
}
