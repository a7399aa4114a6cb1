import type { HostSnapshot } from "../../../host/index.ts";
import { imageName, type PodIdentity } from "../../../model/index.ts";
import { isUuid } from "../cli/parse-output.ts";
import { callOptions, type RktContext } from "../context.ts";
import type { Flavor } from "../flavor.ts";
import { parseImageRecord } from "../images/image-record.ts";
import { appName, imageKey } from "../layout.ts";
import { cgroupHome } from "../run/cgroup-home.ts";
import {
  type CgroupHome,
  EVERY_APP,
  EXEC_PREFIX,
  processDir,
  supervisorDir,
} from "../run/cgroups.ts";
import { withLateEnds } from "./late-ends.ts";
import {
  type Manifest,
  manifestIdentity,
  type PodFile,
  parseManifest,
  parsePodFile,
} from "./pod-file.ts";

/** A pod of rkt's, of anyone, by what is on disk: rkt's own list omits some, and can die of one. */
export interface RktPod {
  readonly uuid: string;
  /** The folder that it is in: `prepare`, `prepared`, `run`, `exited-garbage`, `garbage`. */
  readonly phase: string;
  readonly apps: readonly string[];
  readonly manifest: Manifest | undefined;
  readonly manifestText: string | undefined;
}

/** The files of a generation. */
export interface SeenPod {
  readonly name: string;
  readonly identity: PodIdentity;
  /** Absent while it is not made to its end. */
  readonly file: PodFile | undefined;
  /** Pod manifests that were given to rkt, by container. */
  readonly manifests: ReadonlyMap<string, string>;
  readonly pids: ReadonlyMap<string, number>;
  readonly exits: ReadonlyMap<string, string>;
  /** Their supervisors, by container. */
  readonly supervisors: ReadonlyMap<string, number>;
}

/** Everything that is known of pods. */
export interface SeenPods {
  readonly home: CgroupHome;
  readonly flavor: Flavor;
  readonly pods: readonly SeenPod[];
  readonly rktPods: readonly RktPod[];
  /** Processes by app; one without any is left out. */
  readonly processes: ReadonlyMap<string, readonly number[]>;
  /** What supervises apps and writes their logs, by app; one without any is left out. */
  readonly supervised: ReadonlyMap<string, readonly number[]>;
  /** Names of cgroups of ours, of apps and of their supervisors. */
  readonly cgroups: readonly string[];
  /** Keys of images that a pod of anyone uses. */
  readonly imagesInUse: ReadonlySet<string>;
  /** The same by their ids in rkt. */
  readonly acisInUse: ReadonlySet<string>;
  readonly snapshot: HostSnapshot;
}

/** What else to look at in the same round trip. */
export interface ReadMore {
  readonly files?: readonly string[];
  readonly exist?: readonly string[];
  readonly list?: readonly string[];
}

const CONTAINER_FILE = /^([a-z0-9-]+)\.(manifest|pid|exit|sup)$/;

/** Looks at all pods in one batch, whatever their number; makes nothing. */
export async function readPods(
  context: RktContext,
  signal: AbortSignal | undefined,
  more: ReadMore = {},
): Promise<SeenPods> {
  const { host, layout } = context;
  const home = await cgroupHome(context, signal);
  const snapshot = await host.snapshot(
    {
      files: [
        `${layout.podsDir}/*/*`,
        `${layout.imagesDir}/*/image.json`,
        `${layout.dir}/pods/*/*/pod`,
        `${layout.dir}/pods/*/*/appsinfo/*/treeStoreID`,
        // of a prepare that was killed there may be nothing yet but the folder that names the app
        `${layout.dir}/pods/prepare/*/appsinfo/*`,
        `${processDir(home, EVERY_APP)}/cgroup.procs`,
        // of rkt's flavours some make cgroups below it
        `${processDir(home, EVERY_APP)}/*/cgroup.procs`,
        ...(more.files ?? []),
      ],
      exist: more.exist ?? [],
      list: [`${layout.dir}/pods/prepare`, ...(more.list ?? [])],
    },
    callOptions(signal),
  );
  return await withLateEnds(context, snapshot, (each) => assemble(context, home, each), signal);
}

function assemble(context: RktContext, home: CgroupHome, snapshot: HostSnapshot): SeenPods {
  const { layout } = context;
  const pods = seenPods(layout.podsDir, snapshot.files);
  const rktPods = rktPodsOf(`${layout.dir}/pods`, snapshot);
  const { processes, supervised, cgroups } = processesOf(home, snapshot.files);
  const acisInUse = new Set(
    rktPods.flatMap(({ manifest }) => (manifest?.apps ?? []).map(({ image }) => image.id)),
  );
  const imagesInUse = new Set(
    pods.flatMap(({ file }) =>
      Object.values(file?.containers ?? {}).map(({ image }) =>
        imageKey(imageName(image.reference, image.digest)),
      ),
    ),
  );
  for (const [path, text] of snapshot.files) {
    if (!path.startsWith(`${layout.imagesDir}/`)) continue;
    const record = parseImageRecord(text);
    if (record?.aci !== undefined && acisInUse.has(record.aci))
      imagesInUse.add(imageKey(record.name));
  }
  return {
    home,
    flavor: context.flavor,
    pods,
    rktPods,
    processes,
    supervised,
    cgroups,
    imagesInUse,
    acisInUse,
    snapshot,
  };
}

type Files = HostSnapshot["files"];

/** Generations by the files of their folders; one whose identity cannot be read is a leftover. */
export function seenPods(podsDir: string, files: Files): readonly SeenPod[] {
  const folders = new Map<string, Map<string, string>>();
  for (const [path, text] of files) {
    if (!path.startsWith(`${podsDir}/`) || typeof text !== "string") continue;
    const [name = "", file = ""] = path.slice(podsDir.length + 1).split("/");
    const folder = folders.get(name) ?? new Map<string, string>();
    folders.set(name, folder.set(file, text));
  }
  return [...folders].flatMap(([name, folder]) => {
    const file = parsePodFile(folder.get("pod.json"));
    const of = (kind: string): [string, string][] =>
      [...folder].flatMap(([each, text]): [string, string][] => {
        const [, container = "", suffix] = CONTAINER_FILE.exec(each) ?? [];
        return suffix === kind ? [[container, text]] : [];
      });
    const manifests = of("manifest");
    const identity =
      file?.identity ??
      manifests.map(([, text]) => manifestIdentity(parseManifest(text))?.identity).find(Boolean);
    if (identity === undefined) return [];
    const numbers = (kind: string): ReadonlyMap<string, number> =>
      new Map(
        of(kind)
          .map(([container, text]) => [container, Number(text)] as const)
          .filter(([, pid]) => Number.isSafeInteger(pid) && pid > 0),
      );
    return [
      {
        name,
        identity,
        file,
        manifests: new Map(manifests),
        pids: numbers("pid"),
        exits: new Map(of("exit")),
        supervisors: numbers("sup"),
      },
    ];
  });
}

/** Pods of rkt's by their folders: the folder is the state, whatever rkt's list says. */
function rktPodsOf(podsDir: string, { files, entries }: HostSnapshot): readonly RktPod[] {
  const found = new Map<string, { phase: string; apps: Set<string>; text?: string }>();
  const at = (phase: string, uuid: string) => {
    const known = found.get(uuid) ?? { phase, apps: new Set<string>() };
    found.set(uuid, known);
    return known;
  };
  for (const uuid of entries.get(`${podsDir}/prepare`) ?? []) if (isUuid(uuid)) at("prepare", uuid);
  for (const [path, text] of files) {
    if (!path.startsWith(`${podsDir}/`)) continue;
    const [phase = "", uuid = "", file, app = ""] = path.slice(podsDir.length + 1).split("/");
    if (!isUuid(uuid)) continue;
    const pod = at(phase, uuid);
    if (file === "appsinfo") pod.apps.add(app);
    else if (file === "pod" && typeof text === "string") pod.text = text;
  }
  return [...found].map(([uuid, { phase, apps, text }]) => {
    const manifest = parseManifest(text);
    for (const { name } of manifest?.apps ?? []) apps.add(name);
    return { uuid, phase, apps: [...apps], manifest, manifestText: text };
  });
}

function processesOf(
  home: CgroupHome,
  files: Files,
): Pick<SeenPods, "processes" | "supervised" | "cgroups"> {
  const processes = new Map<string, readonly number[]>();
  const supervised = new Map<string, readonly number[]>();
  const cgroups = new Set<string>();
  const base = processDir(home, EVERY_APP);
  const folder = base.slice(0, base.indexOf(EVERY_APP));
  for (const [path, text] of files) {
    if (!path.startsWith(folder) || !isContainers(path)) continue;
    const name = path.slice(folder.length).split("/")[home.systemd ? 1 : 0] ?? "";
    cgroups.add(name);
    const pids = typeof text === "string" ? text.split("\n").filter(Boolean).map(Number) : [];
    if (pids.length === 0) continue;
    if (name.endsWith(".sup")) supervised.set(name.slice(0, -".sup".length), pids);
    else processes.set(name, [...(processes.get(name) ?? []), ...pids]);
  }
  return { processes, supervised, cgroups: [...cgroups] };
}

/** A command that still runs in a container is not the container: it must not keep it from being started. */
function isContainers(path: string): boolean {
  const [directory = "", file] = path.split("/").slice(-2);
  return file === "cgroup.procs" && !directory.startsWith(EXEC_PREFIX);
}

/** A generation and what of the rest is its own. */
export interface OnePod {
  readonly pod: SeenPod | undefined;
  readonly seen: SeenPods;
}

/**
 * Looks at one generation: its files, then its cgroups and its pods of rkt's.
 *
 * @param containers names that it may have beside those in its file
 */
export async function readPod(
  context: RktContext,
  identity: PodIdentity,
  name: string,
  containers: readonly string[],
  signal: AbortSignal | undefined,
): Promise<OnePod> {
  const { host, layout } = context;
  const home = await cgroupHome(context, signal);
  const first = await host.snapshot({ files: [`${layout.podDir(name)}/*`] }, callOptions(signal));
  const [pod] = seenPods(layout.podsDir, first.files);
  const names = new Set([
    ...containers,
    ...Object.keys(pod?.file?.containers ?? {}),
    ...(pod?.manifests.keys() ?? []),
  ]);
  const apps = [...names].map((container) => appName(identity, container));
  const uuids = Object.values(pod?.file?.containers ?? {}).map(({ uuid }) => uuid);
  const snapshot = await host.snapshot(
    {
      files: [
        ...apps.flatMap((app) => [
          `${processDir(home, app)}/cgroup.procs`,
          `${processDir(home, app)}/*/cgroup.procs`,
          `${supervisorDir(home, app)}/cgroup.procs`,
          `${layout.dir}/pods/*/*/appsinfo/${app}/treeStoreID`,
          `${layout.dir}/pods/prepare/*/appsinfo/${app}`,
        ]),
        ...uuids.map((uuid) => `${layout.dir}/pods/*/${uuid}/pod`),
      ],
    },
    callOptions(signal),
  );
  const files = new Map([...first.files, ...snapshot.files]);
  const whole = { ...snapshot, files };
  return {
    pod,
    seen: await withLateEnds(context, whole, (each) => assemble(context, home, each), signal),
  };
}
