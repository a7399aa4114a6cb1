import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { busyboxFiles } from "../../../scripts/lib/image-maker/busybox-image.ts";
import { makeImage } from "../../../scripts/lib/make-image.ts";
import { openPodman } from "../../../src/engines/podman/index.ts";
import { type HostReader, openLocalHost } from "../../../src/host/index.ts";
import { capabilityOf } from "../../../src/model/index.ts";
import { withNetworks } from "../../../src/network/index.ts";
import { findCgroups, readStats } from "../../../src/reconcile/stats/read-stats.ts";
import { layoutContent } from "../../conformance/support/busybox-content.ts";
import { EngineUnderTest, script } from "../../conformance/support/engine-under-test.ts";

/** What an ordinary user saw of a pod from its image to its end. */
export interface RootlessStory {
  readonly uid: number | undefined;
  readonly limits: string;
  readonly states: Readonly<Record<string, string | undefined>>;
  readonly lines: readonly string[];
  readonly exitCodes: readonly number[];
  readonly leftovers: readonly unknown[];
  /** What a look at who has ports came to, and one for a network of a fleet. */
  readonly looks: readonly string[];
  /** What of its use is not known, as its cgroups are not its own, and whether its memory is told. */
  readonly usage: { readonly shared: readonly string[]; readonly memory: boolean };
}

const [folder = "", program = "", answer = ""] = process.argv.slice(2);
writeFileSync(answer, JSON.stringify(await tell()));
endOwn();

/** An image whose files are all root's: without a range of numbers a user has one alone. */
async function ownImage(kind: "base" | "other") {
  const files = new Map(busyboxFiles([]));
  files.delete("/home/app");
  const reference = `localhost/rootless:${kind}`;
  const config = { cmd: ["/bin/sh"], env: { PATH: "/bin" } };
  const { layout } = makeImage({ out: join(folder, kind), reference, files, config });
  return await layoutContent(layout, reference);
}

/** Takes a pod through its life. */
async function tell(): Promise<RootlessStory> {
  const directories = { stateDir: join(folder, "state"), runDir: join(folder, "run") };
  mkdirSync(directories.stateDir, { recursive: true });
  const host = openLocalHost();
  const [root, runRoot, tmpDir] = ["root", "runroot", "tmp"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  const config = { kind: "podman", program, root, runRoot, tmpDir } as const;
  const opened = await openPodman(config, host, directories);
  const test = await EngineUnderTest.open({
    name: "podman without root",
    image: ownImage,
    features: {} as never,
    open: async () => ({ engine: opened, host, directories }) as never,
  });
  const limits = capabilityOf(await opened.capabilities(), "containers.*.resources.memoryBytes", 1);
  const states: Record<string, string | undefined> = {};
  const pod = test.pod({ main: script("echo hello; trap 'exit 3' TERM; sleep 1000 & wait") });
  const note = async (when: string): Promise<void> => {
    states[when] = (await test.observed(pod))?.state;
  };
  await opened.prepare(pod);
  await note("prepared");
  await opened.start(pod);
  await note("started");
  await test.printed(pod, "hello");
  const lines = await test.lines(pod);
  const usage = await usageOf(host, (await test.container(pod)).pid ?? 0);
  const exitCodes = [await test.exec(pod, "exit 7")];
  await opened.stop(pod.identity);
  await note("stopped");
  exitCodes.push((await test.container(pod)).exitCode ?? -1);
  await opened.start(pod);
  await note("started again");
  const other = test.pod({ main: script("sleep 1000"), second: script("sleep 1000") });
  await opened.prepare(other, { startsNext: true });
  await opened.start(other);
  states["several containers"] = (await test.observed(other))?.state;
  await opened.remove(other.identity);
  const quick = test.pod({ main: script("sleep 1000") });
  await opened.prepare(quick, { startsNext: true });
  await opened.start(quick);
  states["made by its start"] = (await test.observed(quick))?.state;
  await opened.remove(quick.identity);
  await opened.remove(pod.identity);
  await note("removed");
  const { leftovers } = await opened.observe();
  const networked = withNetworks(opened, { host, ...directories, engine: "podman" });
  const looks: string[] = [];
  for (const portsOnly of [true, false]) {
    const look = networked.observe({ network: true, portsOnly });
    looks.push(await look.then(({ network }) => typeof network, String));
  }
  return {
    uid: process.getuid?.(),
    limits: limits.support,
    states,
    lines,
    exitCodes,
    leftovers,
    looks,
    usage,
  };
}

async function usageOf(host: HostReader, pid: number): Promise<RootlessStory["usage"]> {
  const { signal } = new AbortController();
  const targets = [{ pid, hasNetwork: true }];
  const cgroups = await findCgroups(host, targets, signal);
  const { stats } = await readStats(host, targets, cgroups, signal);
  const { shared = [], memoryBytes } = stats.get(pid) ?? {};
  return { shared, memory: memoryBytes !== undefined };
}

/** Ends what podman keeps running for a user: the process that holds the user's namespaces. */
function endOwn(): void {
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const isOwn = statSync(`/proc/${pid}`).uid === process.getuid?.();
      if (isOwn && readFileSync(`/proc/${pid}/cmdline`, "utf8").startsWith("catatonit"))
        process.kill(Number(pid), "SIGKILL");
    } catch {
      // it ended by itself
    }
  }
}
