import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A pod as it is to lie on disk, in rkt's own layout. */
export interface DiskPod {
  readonly uuid: string;
  readonly state: string;
  /** Times as touch(1) reads them; absent: the file is not there. */
  readonly created?: string;
  readonly started?: string;
  readonly pid?: number;
  readonly apps: readonly DiskApp[];
  readonly networks?: readonly object[];
  readonly userAnnotations?: Readonly<Record<string, string>>;
  readonly userLabels?: Readonly<Record<string, string>>;
}

export interface DiskApp {
  readonly name: string;
  readonly imageId: string;
  /** `name` or `name:version`. */
  readonly image?: string;
  readonly exitCode?: number;
  readonly mounts?: readonly {
    readonly name: string;
    readonly container_path: string;
    readonly host_path: string;
    readonly read_only: boolean;
  }[];
  readonly userAnnotations?: Readonly<Record<string, string>>;
  readonly userLabels?: Readonly<Record<string, string>>;
}

const PLACES: Readonly<Record<string, string>> = {
  preparing: "prepare",
  "aborted prepare": "prepare",
  prepared: "prepared",
  running: "run",
  exited: "run",
  "exited garbage": "exited-garbage",
  garbage: "garbage",
};
const LOCKED = ["preparing", "running"];

/** Lays a pod down on disk; one in a state with a lock is locked until it is disposed of. */
export async function layPod(dataDir: string, pod: DiskPod): Promise<AsyncDisposable> {
  const path = join(dataDir, "pods", PLACES[pod.state] ?? "", pod.uuid);
  mkdirSync(path, { recursive: true });
  if (!pod.state.includes("prepar") || pod.state === "prepared") layFiles(path, pod);
  if (!LOCKED.includes(pod.state)) return { [Symbol.asyncDispose]: async () => {} };
  const holder = spawn("flock", ["-x", "--no-fork", path, "cat"], {
    stdio: ["pipe", "pipe", "ignore"],
  });
  holder.stdin.write("locked");
  await once(holder.stdout, "data");
  return {
    [Symbol.asyncDispose]: async () => {
      holder.stdin.end();
      if (holder.exitCode === null) await once(holder, "exit");
    },
  };
}

function layFiles(path: string, pod: DiskPod): void {
  const mounts = pod.apps.flatMap((app) => app.mounts ?? []);
  write(path, "pod", {
    acVersion: "0.8.11",
    acKind: "PodManifest",
    apps: pod.apps.map((app) => ({
      name: app.name,
      image: { id: app.imageId },
      app: {
        exec: ["/bin/true"],
        user: "0",
        group: "0",
        ...(app.userAnnotations ? { userAnnotations: app.userAnnotations } : {}),
        ...(app.userLabels ? { userLabels: app.userLabels } : {}),
      },
      mounts: (app.mounts ?? []).map((one) => ({ volume: one.name, path: one.container_path })),
    })),
    volumes: mounts.map((mount) =>
      mount.host_path === ""
        ? { name: mount.name, kind: "empty", mode: "0777", uid: 0, gid: 0 }
        : { name: mount.name, kind: "host", source: mount.host_path, readOnly: mount.read_only },
    ),
    isolators: [],
    annotations: [],
    ports: [],
    ...(pod.userAnnotations ? { userAnnotations: pod.userAnnotations } : {}),
    ...(pod.userLabels ? { userLabels: pod.userLabels } : {}),
  });
  for (const { name, image = "example.com/bb:1.0.0", exitCode } of pod.apps) {
    const [imageName, version] = image.split(":");
    write(path, `appsinfo/${name}/manifest`, {
      acKind: "ImageManifest",
      acVersion: "0.8.11",
      name: imageName,
      labels: version === undefined ? [] : [{ name: "version", value: version }],
    });
    if (exitCode !== undefined) write(path, `stage1/rootfs/rkt/status/${name}`, exitCode);
  }
  if (pod.networks !== undefined) write(path, "net-info.json", pod.networks);
  if (pod.pid !== undefined || pod.started !== undefined) write(path, "ppid", pod.pid ?? 1);
  if (pod.created !== undefined) write(path, "pod-created", "");
  for (const [file, time] of [
    ["pod-created", pod.created],
    ["ppid", pod.started],
  ] as const) {
    if (time !== undefined) execFileSync("touch", ["-d", time, join(path, file)]);
  }
}

function write(folder: string, name: string, value: unknown): void {
  mkdirSync(join(folder, name, ".."), { recursive: true });
  writeFileSync(join(folder, name), typeof value === "string" ? value : JSON.stringify(value));
}
