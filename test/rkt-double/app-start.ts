import { join } from "node:path";
import { numberOf } from "./inside-root.ts";
import type { App, NameValue, PodManifest, RuntimeApp } from "./manifest.ts";
import type { Pod } from "./pods.ts";
import { programOf } from "./programs.ts";

/** What an app's environment has where neither image nor manifest say otherwise. */
const DEFAULT_ENVIRONMENT: readonly NameValue[] = [
  { name: "PATH", value: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" },
  { name: "SHELL", value: "/bin/sh" },
  { name: "USER", value: "root" },
  { name: "LOGNAME", value: "root" },
  { name: "HOME", value: "/root" },
];

/** The folder with an app's root file system, from the pod's own. */
export function rootfsOf(app: string): string {
  return `stage1/rootfs/opt/stage2/${app}/rootfs`;
}

/** The words of a shell command that stand for themselves. */
export function quoted(words: readonly string[]): string {
  return words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
}

/** An app's environment with rkt's defaults. */
export function environmentOf(app: App): readonly NameValue[] {
  const given = app.environment ?? [];
  const names = new Set(given.map(({ name }) => name));
  return [...DEFAULT_ENVIRONMENT.filter(({ name }) => !names.has(name)), ...given];
}

/** Lines of a shell that mount an app's root file system: the image's tree below what the app writes. */
export function mountRootfs(
  pod: Pod,
  tree: string,
  treeId: string,
  app: string,
): readonly string[] {
  const layer = (kind: string) => join(pod.path, "overlay", treeId, kind, app);
  const [rootfs, upper, work] = [join(pod.path, rootfsOf(app)), layer("upper"), layer("work")];
  const options = `lowerdir=${join(tree, "rootfs")},upperdir=${upper},workdir=${work}`;
  return [
    `mkdir -p ${quoted([rootfs, upper, work])}`,
    `mount -t overlay ${quoted(["overlay", "-o", options, rootfs])}`,
  ];
}

/** Lines of a shell that put a folder or file of the host into a root file system. */
export function bindInto(
  rootfs: string,
  source: string,
  path: string,
  readOnly: boolean,
): string[] {
  const target = quoted([join(rootfs, path)]);
  const from = quoted([source]);
  return [
    `if [ -d ${from} ]; then mkdir -p ${target}; else mkdir -p ${quoted([join(rootfs, path, "..")])}; [ -e ${target} ] || : > ${target}; fi`,
    `mount --bind ${from} ${target}`,
    ...(readOnly ? [`mount -o remount,bind,ro ${target}`] : []),
  ];
}

/** A mount of a volume into an app. */
export interface AppMount {
  readonly name: string;
  readonly path: string;
  readonly readOnly: boolean;
  /** Undefined when the pod has no such volume. */
  readonly kind: string | undefined;
  readonly source: string | undefined;
}

/** What is mounted into an app: its mounts, then its mount points that no mount names. */
export function mountsOf({ app, mounts = [] }: RuntimeApp, pod: PodManifest): readonly AppMount[] {
  const points = (app?.mountPoints ?? []).filter(
    ({ name }) => !mounts.some(({ volume }) => volume === name),
  );
  const wanted = [
    ...mounts.map(({ volume, path }) => ({ name: volume, path, readOnly: false })),
    ...points.map(({ name, path, readOnly = false }) => ({ name, path, readOnly })),
  ];
  return wanted.map(({ name, path, readOnly }) => {
    const volume = (pod.volumes ?? []).find((one) => one.name === name);
    return {
      name,
      path,
      readOnly: volume?.readOnly ?? readOnly,
      kind: volume?.kind,
      source: volume?.source,
    };
  });
}

/** Whose an app's process is. */
export interface Credentials {
  readonly uid: number;
  /** Its group and those beside it. */
  readonly gids: readonly [number, ...number[]];
}

/** The numbers of an app's user and group, or what is wrong with them. */
export function credentialsOf(root: string, app: App): Credentials | { readonly problem: string } {
  const uid = numberOf(root, "/etc/passwd", app.user);
  if (uid === undefined) return { problem: `"${app.user}" user not found` };
  const gid = numberOf(root, "/etc/group", app.group);
  return gid === undefined
    ? { problem: `"${app.group}" group not found` }
    : { uid, gids: [gid, ...(app.supplementaryGIDs ?? [])] };
}

/** The start of a command that gives it an app's groups; its user follows when it is in the root file system. */
export function asUser({ gids }: Credentials): readonly string[] {
  return [programOf("setpriv"), "--regid", `${gids[0]}`, "--groups", gids.join(",")];
}
