import { followLinks } from "./machine-files.ts";
import type { MachineState, SimContainer, SimPod } from "./machine-state.ts";
import type { ProcessFiles } from "./process/process-context.ts";

const IMAGE_DIRECTORIES = new Set([
  "/",
  "/bin",
  "/dev",
  "/etc",
  "/home",
  "/proc",
  "/root",
  "/run",
  "/sys",
  "/tmp",
  "/usr",
  "/var",
]);
const READ_ONLY = "Read-only file system";
const NO_DIRECTORY = "nonexistent directory";

/** Where a path of a container leads: a store of texts by path, and the path in it. */
interface Place {
  readonly path: string;
  readonly readOnly: boolean;
  /** The path is where a volume begins. */
  readonly root: boolean;
  get(path: string): string | undefined;
  set(path: string, text: string): void;
  delete(path: string): void;
  paths(): readonly string[];
  isDirectory(path: string): boolean;
  makeDirectory(path: string): void;
}

/** A container's file system: its writable layer, and the volumes that it mounts. */
export function containerFiles(
  state: MachineState,
  pod: SimPod,
  container: SimContainer,
): ProcessFiles {
  const at = (path: string): Place => placeOf(state, pod, container, path);
  const isDirectory = (path: string): boolean => {
    const place = at(path);
    const prefix = place.path === "/" ? "/" : `${place.path}/`;
    return (
      place.root ||
      place.isDirectory(place.path) ||
      place.paths().some((each) => each.startsWith(prefix))
    );
  };
  const whyNotWritable = (path: string): string | undefined => {
    if (at(path).readOnly) return READ_ONLY;
    return isDirectory(parentOf(path)) ? undefined : NO_DIRECTORY;
  };
  return {
    read: (path) => at(path).get(at(path).path),
    exists: (path) => at(path).get(at(path).path) !== undefined || isDirectory(path),
    isDirectory,
    write: (path, text, append) => {
      const refusal = whyNotWritable(path);
      if (refusal !== undefined) return refusal;
      const place = at(path);
      place.set(place.path, `${append ? (place.get(place.path) ?? "") : ""}${text}`);
      return undefined;
    },
    makeDirectory: (path) => {
      const place = at(path);
      if (place.readOnly) return READ_ONLY;
      if (!isDirectory(path)) place.makeDirectory(place.path);
      return undefined;
    },
    remove: (path) => {
      const place = at(path);
      if (place.readOnly) return READ_ONLY;
      for (const each of place.paths()) {
        if (each === place.path || each.startsWith(`${place.path}/`)) place.delete(each);
      }
      return undefined;
    },
  };
}

function placeOf(state: MachineState, pod: SimPod, container: SimContainer, path: string): Place {
  const mount = (container.spec.mounts ?? [])
    .filter((each) => path === each.path || path.startsWith(`${each.path}/`))
    .sort((a, b) => b.path.length - a.path.length)[0];
  const volume = mount === undefined ? undefined : pod.spec.volumes?.[mount.volume];
  if (mount === undefined || volume === undefined) {
    const readOnly = container.spec.readOnlyRootFilesystem === true;
    return inRecord(() => layerOf(container), path, readOnly, IMAGE_DIRECTORIES.has(path));
  }
  const inside = path.slice(mount.path.length);
  const readOnly = mount.readOnly === true;
  if (volume.kind === "tmpfs") {
    return inRecord(
      () => tmpfsOf(pod, mount.volume),
      inside === "" ? "/" : inside,
      readOnly,
      inside === "",
    );
  }
  const base = volume.kind === "bind" ? volume.path : (pod.volumeDirs[mount.volume] ?? "");
  return onHost(state, followLinks(state, `${base}${inside}`), readOnly, inside === "");
}

function inRecord(
  open: () => Record<string, string>,
  path: string,
  readOnly: boolean,
  root: boolean,
): Place {
  return {
    path,
    readOnly,
    root,
    get: (each) => open()[each],
    set: (each, text) => {
      open()[each] = text;
    },
    delete: (each) => {
      delete open()[each];
    },
    paths: () => Object.keys(open()),
    isDirectory: (each) => open()[`${each}/`] !== undefined,
    makeDirectory: (each) => {
      open()[`${each}/`] = "";
    },
  };
}

function onHost(state: MachineState, path: string, readOnly: boolean, root: boolean): Place {
  return {
    path,
    readOnly,
    root: root && state.files[path] === undefined,
    get: (each) => state.files[each]?.text,
    set: (each, text) => {
      state.files[each] = { text, mode: 0o644 };
    },
    delete: (each) => {
      delete state.files[each];
      delete state.directories[each];
    },
    paths: () => [...Object.keys(state.files), ...Object.keys(state.directories)],
    isDirectory: (each) => state.directories[each] !== undefined,
    makeDirectory: (each) => {
      state.directories[each] = { mode: 0o755, uid: 0, gid: 0 };
    },
  };
}

function tmpfsOf(pod: SimPod, volume: string): Record<string, string> {
  pod.tmpfs ??= {};
  pod.tmpfs[volume] ??= {};
  return pod.tmpfs[volume];
}

function layerOf(container: SimContainer): Record<string, string> {
  container.layer ??= {};
  return container.layer;
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}
