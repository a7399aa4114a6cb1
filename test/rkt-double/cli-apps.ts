import { type CommandLine, failAs, failWithUsage } from "./arguments.ts";
import type { ImageManifest, ImageRecord } from "./image-store.ts";
import {
  type App,
  annotationProblem,
  type NameValue,
  type RuntimeApp,
  type Volume,
} from "./manifest.ts";
import { refuse } from "./output.ts";

/** Flags that are said of the image before them. */
const APP_FLAGS = new Set([
  ...["annotation", "cpu", "cpu-shares", "environment", "exec", "memory", "mount", "name"],
  ...["readonly-rootfs", "user", "group", "user-annotation", "user-label", "working-dir"],
]);
/** Flags of the command that are not about apps, and those that say nothing here. */
const POD_FLAGS = new Set([
  ...[
    "debug",
    "dir",
    "insecure-options",
    "local-config",
    "system-config",
    "quiet",
    "stage1-name",
    "stage1-from-dir",
  ],
  ...["net", "pod-manifest", "port", "pull-policy", "set-env", "volume", "uuid-file-save"],
]);

/** An image of the command line and what was said of it. */
export interface AppRequest {
  readonly image: string;
  readonly flags: { readonly flag: string; readonly value: string }[];
  readonly args: string[];
}

/** The images of a command line with their flags and arguments. */
export function appRequests({ command, arguments: given }: CommandLine): readonly AppRequest[] {
  const apps: AppRequest[] = [];
  for (const argument of given) {
    if ("word" in argument) apps.push({ image: argument.word, flags: [], args: [] });
    else if ("rest" in argument) apps.at(-1)?.args.push(...argument.rest);
    else if (APP_FLAGS.has(argument.flag)) addFlag(argument, apps.at(-1), command);
    else if (!POD_FLAGS.has(argument.flag)) refuse(`--${argument.flag} with an image`);
  }
  return apps;
}

function addFlag(
  { flag, value }: AppRequest["flags"][number],
  app: AppRequest | undefined,
  command: string,
): void {
  if (app === undefined && flag !== "mount") {
    const what = `invalid argument "${value}" for --${flag}=${value}`;
    failWithUsage(command, `${what}: --${flag} must follow an image`);
  }
  app?.flags.push({ flag, value });
}

/** An app as rkt writes it into the manifest of a pod that was made from flags. */
export function appFromFlags(
  request: AppRequest,
  image: ImageRecord,
  manifest: ImageManifest,
  podEnvironment: readonly NameValue[],
): RuntimeApp {
  const said = new AppFlags(request);
  const annotations = said.pairs("annotation");
  const problem = annotationProblem(annotations);
  if (problem !== undefined) failAs("prepare", problem);
  const mounts = said.all("mount").map(mountOf);
  return {
    name: said.last("name") ?? image.name.slice(image.name.lastIndexOf("/") + 1),
    image: { name: image.name, id: image.id, ...withList("labels", manifest.labels) },
    app: ownApp(request, said, manifest.app, podEnvironment),
    ...(said.last("readonly-rootfs") === "true" ? { readOnlyRootFS: true } : {}),
    ...withList("mounts", mounts),
    ...withList("annotations", annotations),
  };
}

class AppFlags {
  readonly #flags: AppRequest["flags"];

  constructor({ flags }: AppRequest) {
    this.#flags = flags;
  }

  all(flag: string): readonly string[] {
    return this.#flags.filter((one) => one.flag === flag).map(({ value }) => value);
  }

  last(flag: string): string | undefined {
    return this.all(flag).at(-1);
  }

  pairs(flag: string): readonly NameValue[] {
    return this.all(flag).map(pairOf);
  }
}

function ownApp(
  { args }: AppRequest,
  said: AppFlags,
  image: App | undefined,
  podEnvironment: readonly NameValue[],
): App {
  const exec = said.last("exec");
  const folder = said.last("working-dir") ?? image?.workingDirectory;
  const [annotations, labels] = [said.pairs("user-annotation"), said.pairs("user-label")];
  return {
    exec: [...(exec === undefined ? (image?.exec ?? []) : [exec]), ...args],
    user: said.last("user") ?? image?.user ?? "0",
    group: said.last("group") ?? image?.group ?? "0",
    ...(folder === undefined ? {} : { workingDirectory: folder }),
    ...withList(
      "environment",
      merged(image?.environment ?? [], said.pairs("environment"), podEnvironment),
    ),
    ...withList("mountPoints", image?.mountPoints),
    ...withList("ports", image?.ports),
    ...withList("isolators", isolatorsOf(said)),
    ...(annotations.length === 0 ? {} : { userAnnotations: objectOf(annotations) }),
    ...(labels.length === 0 ? {} : { userLabels: objectOf(labels) }),
  };
}

function withList<K extends string, T>(
  key: K,
  list: readonly T[] | undefined,
): Partial<Record<K, readonly T[]>> {
  return list === undefined || list.length === 0
    ? {}
    : ({ [key]: list } as unknown as Record<K, readonly T[]>);
}

function isolatorsOf(said: AppFlags): NameValue<unknown>[] {
  const resource = (name: string, amount: string | undefined) =>
    amount === undefined
      ? []
      : [{ name: `resource/${name}`, value: { default: false, request: amount, limit: amount } }];
  const shares = said.last("cpu-shares");
  return [
    ...resource("memory", said.last("memory")),
    ...resource("cpu", said.last("cpu")),
    ...(shares === undefined ? [] : [{ name: "os/linux/cpu-shares", value: Number(shares) }]),
  ];
}

function merged(...lists: readonly (readonly NameValue[])[]): NameValue[] {
  const [image = [], own = [], pod = []] = lists;
  const base = [...image, ...pod.filter(({ name }) => !image.some((one) => one.name === name))];
  return [...base.filter(({ name }) => !own.some((one) => one.name === name)), ...own];
}

/** `name=value` */
export function pairOf(text: string): NameValue {
  const at = text.indexOf("=");
  return { name: text.slice(0, at), value: text.slice(at + 1) };
}

function objectOf(pairs: readonly NameValue[]): Record<string, string> {
  return Object.fromEntries(pairs.map(({ name, value }) => [name, value]));
}

function mountOf(text: string): { readonly volume: string; readonly path: string } {
  const fields = objectOf(text.split(",").map(pairOf));
  return { volume: fields["volume"] ?? "", path: fields["target"] ?? "" };
}

/** `--volume NAME,kind=host,source=...` */
export function volumeOf(text: string): Volume {
  const [name = "", ...rest] = text.split(",");
  const fields = objectOf(rest.map(pairOf));
  return {
    name,
    kind: fields["kind"] ?? "",
    ...(fields["source"] === undefined ? {} : { source: fields["source"] }),
    ...(fields["readOnly"] === undefined ? {} : { readOnly: fields["readOnly"] === "true" }),
    ...(fields["mode"] === undefined ? {} : { mode: fields["mode"] }),
    ...(fields["uid"] === undefined ? {} : { uid: Number(fields["uid"]) }),
    ...(fields["gid"] === undefined ? {} : { gid: Number(fields["gid"]) }),
  };
}
