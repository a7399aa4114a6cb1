import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { archiveLayout, busyboxImage, type MadeImage } from "../../scripts/lib/make-image.ts";
import { whyNoPrivateContainerd } from "../../scripts/lib/private-containerd.ts";
import type { EngineConfig } from "../../src/model/index.ts";
import type { Benchmark, BenchmarkContext, BenchmarkResult } from "../lib/benchmark.ts";
import { type ContainerdLab, openContainerdLab } from "../lib/containerd-lab.ts";
import { PageWatch } from "../lib/page-watch.ts";
import { openPodmanLab, PODMAN_ENV, type PodmanLab, whyNoPodmanLab } from "../lib/podman-lab.ts";
import { measurePairs, median, medianRatio } from "../lib/statistics.ts";
import { stowageMain } from "../lib/stowage-command.ts";
import { timeCommand } from "../lib/time-command.ts";

const PODS = 20;
const DOWNTIME_RATIO_MAX = 2;
const PARALLEL = "8";
const NAMESPACE = "bench";

/** How long a pod does not answer while its host moves from containerd to podman, against the bare tools. */
export const movePods: Benchmark = {
  name: "move-pods",
  title: `${PODS} serving pods moved from containerd to podman: downtime, against ctr task kill and rm, podman start`,
  whyNot: () => whyNoPrivateContainerd() ?? whyNoPodmanLab(),
  run: measure,
};

async function measure(context: BenchmarkContext): Promise<BenchmarkResult> {
  const { pairs, signal, log } = context;
  await using old = await openContainerdLab();
  await using next = await openPodmanLab();
  const image = busyboxImage({
    out: join(old.dir, "page"),
    reference: "localhost/page:1",
    files: new Map([["/www/index.html", { content: "a page\n" }]]),
    programs: [],
  });
  const ports = await freePorts(Math.ceil(PODS / context.divisor));
  const main = stowageMain();
  const stowage = (...args: string[]) =>
    timeCommand(process.execPath, [main, ...args], { signal, cwd: old.dir });
  const [before, after] = [old.host.engine, next.podman.config].map((engine, at) =>
    writeFleet(old, { engine, at, image, ports }),
  ) as [string, string];
  const bare = await openBare(old, next, { image, ports, signal });
  const moves: number[] = [];
  const downtimes = await measurePairs(
    pairs,
    async () => {
      await stowage("apply", "-f", before, "--yes");
      const watch = await PageWatch.start(ports);
      moves.push(await stowage("apply", "-f", after, "--yes"));
      const downtime = median(await watch.end());
      log(`stowage: a pod is down for ${downtime.toFixed(0)} ms`);
      await stowage("destroy", "-f", after, "--yes");
      return downtime;
    },
    async () => {
      await bare.run();
      const watch = await PageWatch.start(ports);
      await bare.move();
      const downtime = median(await watch.end());
      log(`bare: a pod is down for ${downtime.toFixed(0)} ms`);
      await bare.remove();
      return downtime;
    },
  );
  return {
    figures: [
      {
        name: "downtime of a pod / of the bare tools",
        value: medianRatio(downtimes),
        unit: "x",
        atMost: DOWNTIME_RATIO_MAX,
      },
      { name: "downtime", value: median(downtimes.map((each) => each.oursMs)), unit: "ms" },
      { name: "bare", value: median(downtimes.map((each) => each.theirsMs)), unit: "ms" },
      { name: "the whole move", value: median(moves), unit: "ms" },
    ],
    notes: [
      `${ports.length} pods with a page on a port of the host each, asked for 20 times a second: the longest time between two answers, the median over the pods.`,
      "The bare tools have everything made in podman beforehand, and do eight pods at a time, as Stowage does: kill and delete the task, then podman start.",
    ],
  };
}

interface Serving {
  readonly image: MadeImage;
  readonly ports: readonly number[];
}

/** Writes the manifest of the serving pods on an engine, and returns its path. */
function writeFleet(
  { dir, host }: ContainerdLab,
  { engine, at, image, ports }: Serving & { readonly engine: EngineConfig; readonly at: number },
): string {
  const reference = `${image.reference}@${image.digest}`;
  const pods = ports.map((port, index) => [
    `page-${index}`,
    {
      network: { mode: "host" },
      ports: [{ host: port }],
      containers: {
        main: {
          image: reference,
          command: commandAt(port),
          stopSignal: "SIGKILL",
          health: { kind: "http", port, path: "/", intervalMs: 50 },
        },
      },
    },
  ]);
  const path = join(dir, `move-${at}.json`);
  const manifest = {
    version: "stowage/v1",
    name: "pages",
    id: "stowage-bench",
    images: { [reference]: { layout: image.layout, digest: image.digest } },
    hosts: { bench: { ...host, engine, pods: Object.fromEntries(pods) } },
  };
  writeFileSync(path, JSON.stringify(manifest));
  return path;
}

function commandAt(port: number): readonly string[] {
  return ["httpd", "-f", "-p", String(port), "-h", "/www"];
}

/** The same by the engines' own tools: run on containerd, made in podman, moved, removed. */
async function openBare(
  old: ContainerdLab,
  next: PodmanLab,
  { image, ports, signal }: Serving & { readonly signal: AbortSignal },
) {
  const { flags, config } = next.podman;
  const archive = join(old.dir, "page.tar");
  await archiveLayout(image.layout, archive);
  const ctr = ["ctr", ...old.ctrArgs(NAMESPACE)];
  const podman = [config.program, ...flags];
  const run = (file: string, ...args: readonly string[]) =>
    timeCommand(file, args, { signal, env: PODMAN_ENV });
  const [ctrProgram = "", ...ctrWords] = ctr;
  await run(ctrProgram, ...ctrWords, "images", "import", archive);
  await run(config.program, ...flags, "load", "--quiet", "--input", archive);
  const each = (script: string) =>
    run(
      "sh",
      "-c",
      `printf '%s\\n' ${ports.join(" ")} | xargs -P${PARALLEL} -I PORT sh -ec ${quoted(script)}`,
    );
  const [c, p] = [ctr.join(" "), podman.join(" ")];
  const serve = (port: string) => `httpd -f -p ${port} -h /www`;
  return {
    run: async () => {
      await each(`${c} run -d --net-host ${image.reference} page-PORT ${serve("PORT")}`);
      await each(
        `${p} create --name page-PORT --network host --ulimit nofile=1024:1024 --ulimit nproc=1024:1024 ${image.reference} ${serve("PORT")}; ${p} init page-PORT`,
      );
    },
    move: () =>
      each(`${c} task kill -s SIGKILL page-PORT; ${c} task rm -f page-PORT; ${p} start page-PORT`),
    remove: async () => {
      await each(`${p} rm --force --time 0 page-PORT`);
      await each(`${c} containers rm page-PORT`);
    },
  };
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Ports that nobody listens on now. */
async function freePorts(count: number): Promise<readonly number[]> {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve, reject) => {
          const server = createServer().once("error", reject);
          server.listen(0, () => resolve(server));
        }),
    ),
  );
  return await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve) => {
          const address = server.address();
          const port = typeof address === "object" && address !== null ? address.port : 0;
          server.close(() => resolve(port));
        }),
    ),
  );
}
