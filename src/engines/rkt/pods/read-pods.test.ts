import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { recordingHost } from "../../../../test/support/rkt/recording-host.ts";
import { openLocalHost, ProgramVersion, type SnapshotRequest } from "../../../host/index.ts";
import { Gate } from "../../../internal/index.ts";
import { RktCli } from "../cli/rkt-cli.ts";
import type { RktContext } from "../context.ts";
import { appName, RktLayout } from "../layout.ts";
import { observeEngine } from "../observe-engine.ts";
import { cgroupHome } from "../run/cgroup-home.ts";
import { processDir } from "../run/cgroups.ts";
import { manifestLabels } from "./pod-file.ts";
import { readPods } from "./read-pods.ts";

const IDENTITY = { owner: "me", fleet: "shop", host: "a", pod: "web", generation: 1 };
const UUID = (digit: number): string => `${String(digit).repeat(8)}-0c16-4b91-953a-d0a2c12991a8`;
const IMAGE = `sha512-${"0".repeat(64)}`;

let folder: string;
let context: RktContext;
let commands: (readonly string[])[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "stw-rkt-unit-"));
  const directories = { stateDir: join(folder, "state"), runDir: join(folder, "run") };
  const dir = join(folder, "rkt");
  const recording = recordingHost(openLocalHost());
  commands = recording.commands;
  const layout = new RktLayout(directories, dir);
  const cli = new RktCli(recording.host, { dir, stage1: "coreos.com/rkt/stage1-fly:1.30.0" });
  const ask = async (): Promise<string> => await cli.version();
  const version = { program: cli.program, file: layout.versionFile, ask };
  context = {
    host: recording.host,
    directories,
    layout,
    cli,
    version: new ProgramVersion(recording.host, version),
    flavor: "fly",
    images: new Gate(),
  };
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function put(path: string, text: string): void {
  const file = join(folder, path);
  mkdirSync(join(file, ".."), { recursive: true });
  writeFileSync(file, text);
}

function putPod(phase: string, uuid: string, manifest: unknown, app = "a"): void {
  put(`rkt/pods/${phase}/${uuid}/pod`, JSON.stringify(manifest));
  put(`rkt/pods/${phase}/${uuid}/appsinfo/${app}/treeStoreID`, "deps-sha512-0");
}

const ours = (container: string) => ({
  apps: [{ name: appName(IDENTITY, container), image: { id: IMAGE }, app: { exec: ["/bin/x"] } }],
  userLabels: manifestLabels(IDENTITY, container, "stw-rkt-0"),
});

test("a foreign pod without an app, of which rkt's own list dies, hides no other", async () => {
  putPod("prepared", UUID(1), { apps: [{ name: "poison", image: { id: IMAGE } }] }, "poison");
  putPod("run", UUID(2), ours("main"), appName(IDENTITY, "main"));
  put(`rkt/pods/run/${UUID(3)}/pod`, "{ this is no JSON");
  const { rktPods, acisInUse } = await readPods(context, undefined);
  expect(rktPods.map(({ uuid }) => uuid).sort()).toEqual([UUID(1), UUID(2), UUID(3)]);
  expect([...acisInUse]).toEqual([IMAGE]);
});

test("pods that are being prepared, or whose prepare was killed, are seen: rkt's list leaves them out", async () => {
  mkdirSync(join(folder, `rkt/pods/prepare/${UUID(4)}`), { recursive: true });
  put(`rkt/pods/prepare/${UUID(5)}/appsinfo/${appName(IDENTITY, "main")}/treeStoreID`, "x");
  const { rktPods } = await readPods(context, undefined);
  expect(rktPods.map(({ uuid, phase, apps }) => ({ uuid, phase, apps }))).toEqual([
    { uuid: UUID(4), phase: "prepare", apps: [] },
    { uuid: UUID(5), phase: "prepare", apps: [appName(IDENTITY, "main")] },
  ]);
});

test("what a killed prepare left is seen by the folder that names the app, while nothing is in it", async () => {
  const app = appName(IDENTITY, "main");
  mkdirSync(join(folder, `rkt/pods/prepare/${UUID(5)}/appsinfo/${app}`), { recursive: true });
  expect((await observeEngine(context, undefined)).leftovers).toEqual([
    { name: `stw-pod-${UUID(5)}`, what: "pod" },
  ]);
});

test("what a killed prepare left is reported: as incomplete by its manifest, else as a leftover", async () => {
  const app = appName(IDENTITY, "main");
  put(`rkt/pods/prepare/${UUID(5)}/appsinfo/${app}/treeStoreID`, "x");
  expect((await observeEngine(context, undefined)).leftovers).toEqual([
    { name: `stw-pod-${UUID(5)}`, what: "pod" },
  ]);
  put("state/.rkt/pods/stw-web-1-x/main.manifest", JSON.stringify(ours("main")));
  const observed = await observeEngine(context, undefined);
  expect(observed.leftovers).toEqual([]);
  expect(observed.pods).toMatchObject([
    { ...IDENTITY, state: "incomplete", containers: { main: { state: "missing" } } },
  ]);
});

test.each([
  ["fly", "/bin/date +%H", ["/bin/date", "+%H"]],
  ["host", "/bin/date +%%H", ["/bin/date", "+%H"]],
] as const)(
  "a command line of flavour %s is told as it was declared",
  async (flavor, exec, declared) => {
    const {
      apps: [app],
      ...manifest
    } = ours("main");
    const held = { ...manifest, apps: [{ ...app, app: { exec: exec.split(" ") } }] };
    putPod("prepared", UUID(6), held, appName(IDENTITY, "main"));
    const digest = `sha256:${"0".repeat(64)}`;
    const container = {
      uuid: UUID(6),
      image: { reference: "localhost/x:1", digest },
      declared: ["command"],
      commandWords: 2,
      userHasGroup: false,
      volumes: {},
      logging: { mode: "none", maxBytes: 1, maxFiles: 1 },
      limits: {},
    };
    const file = {
      version: 1,
      identity: IDENTITY,
      recordDigest: digest,
      network: "none",
      hostname: "web",
      podDeclared: [],
      tmpfs: [],
      containers: { main: container },
    };
    put("state/.rkt/pods/stw-web-1-x/pod.json", JSON.stringify(file));
    const { pods } = await observeEngine({ ...context, flavor }, undefined);
    expect(pods[0]?.containers["main"]).toMatchObject({
      state: "prepared",
      reported: { command: declared },
    });
  },
);

test("foreign pods are no leftovers, and looking runs no command where there is no store", async () => {
  putPod("run", UUID(1), { apps: [{ name: "web", image: { id: IMAGE }, app: {} }] }, "web");
  putPod("prepared", UUID(2), { apps: null });
  expect(await observeEngine(context, undefined)).toEqual({ pods: [], images: [], leftovers: [] });
  expect(commands).toEqual([]);
});

test("a half-made import is a leftover by its folder, its file or its image", async () => {
  const key = `stw-img-${"ab".repeat(16)}`;
  put(`state/.rkt/tmp/.${key}.aci.tmp`, "half");
  expect((await observeEngine(context, undefined)).leftovers).toEqual([
    { name: key, what: "import of an image" },
  ]);
});

test("a command that goes on in a container is not the container: what ended is to be started again", async () => {
  const [own, ended] = [appName(IDENTITY, "main"), appName(IDENTITY, "side")];
  const tree = new Map<string, string>();
  const host = {
    ...context.host,
    snapshot: async ({ files: patterns = [] }: SnapshotRequest) => {
      const found = patterns.map(
        (pattern) => new RegExp(`^${pattern.replaceAll(".", "\\.").replaceAll("*", "[^/]*")}$`),
      );
      const files = [...tree].filter(([path]) => found.some((each) => each.test(path)));
      return { files: new Map(files), existing: new Set(), entries: new Map() };
    },
  } as unknown as RktContext["host"];
  const home = await cgroupHome({ ...context, host }, undefined);
  tree.set(`${processDir(home, own)}/cgroup.procs`, "70\n");
  tree.set(`${processDir(home, own)}/exec-1/cgroup.procs`, "71\n");
  tree.set(`${processDir(home, own)}/system.slice/cgroup.procs`, "72\n");
  tree.set(`${processDir(home, ended)}/cgroup.procs`, "");
  tree.set(`${processDir(home, ended)}/exec-2/cgroup.procs`, "73\n");
  const { processes, cgroups } = await readPods({ ...context, host }, undefined);
  expect([...processes]).toEqual([[own, [70, 72]]]);
  expect([...cgroups].sort()).toEqual([own, ended].sort());
});
