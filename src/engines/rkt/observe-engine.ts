import type { HostSnapshot } from "../../host/index.ts";
import {
  imageName,
  OBJECT_PREFIX,
  type ObservedEngine,
  type ObservedImage,
  type ObservedLeftover,
} from "../../model/index.ts";
import type { ListedImage } from "./cli/parse-output.ts";
import { callOptions, type RktContext } from "./context.ts";
import { ACI_PREFIX, FLEET_PREFIX, parseImageRecord } from "./images/image-record.ts";
import { imageRecords, storedImages, storedManifests } from "./images/stored-images.ts";
import { appName, imageKey, type RktLayout } from "./layout.ts";
import { everyLimitFile, observePods } from "./pods/observe-pods.ts";
import { isOfAnother } from "./pods/pod-file.ts";
import { readPods, type SeenPods } from "./pods/read-pods.ts";
import { cgroupHome } from "./run/cgroup-home.ts";

/** Name of a leftover that is a pod of rkt's, before its UUID. */
export const POD_LEFTOVER = "stw-pod-";

/**
 * Everything of interest, from one batched read of the host. rkt is asked nothing of pods: its list dies
 * of one foreign pod, and leaves out those that are not made to their end; and nothing of images where
 * the files of its store and ours say the same.
 */
export async function observeEngine(
  context: RktContext,
  signal: AbortSignal | undefined,
): Promise<ObservedEngine> {
  const { layout, cli } = context;
  const home = await cgroupHome(context, signal);
  const seen = await readPods(context, signal, {
    files: [
      ...everyLimitFile(home),
      `${layout.imagesDir}/*/${FLEET_PREFIX}*`,
      storedManifests(layout),
    ],
    exist: [database(layout)],
    list: [layout.imagesDir, `${layout.root}/tmp`, layout.podsDir],
  });
  const listed = isStoreThere(layout, seen.snapshot)
    ? (agreed(context, seen) ?? (await cli.listImages(signal)))
    : [];
  const elsewhere = madeElsewhere(context, seen);
  return {
    ...(elsewhere.length === 0 ? {} : { elsewhere }),
    pods: observePods(seen),
    images: observeImages(context, seen, listed),
    leftovers: listLeftovers(context, seen, listed),
  };
}

/** The images by the files of rkt's store, where our records speak of the same ones. */
function agreed({ layout }: RktContext, seen: SeenPods): readonly ListedImage[] | undefined {
  const { snapshot } = seen;
  const stored = storedImages(layout, snapshot.files);
  const ids = new Set(stored?.map(({ id }) => id));
  const records = [...imageRecords(layout, snapshot.files).values()];
  if (!records.every(({ aci }) => aci !== undefined && ids.has(aci))) return undefined;
  return importLeftovers(seen, layout, stored ?? []).length === 0 ? stored : undefined;
}

/** The pods alone, by one batched read: rkt is not run. */
export async function observePodsOnly(
  context: RktContext,
  signal: AbortSignal | undefined,
): Promise<ObservedEngine> {
  const home = await cgroupHome(context, signal);
  const seen = await readPods(context, signal, { files: everyLimitFile(home) });
  return { pods: observePods(seen), images: [], leftovers: [] };
}

/** Images that rkt lists; none where there is no store, since any command of rkt's makes one. */
export async function listStored(
  { host, layout, cli }: RktContext,
  signal: AbortSignal | undefined,
): Promise<readonly ListedImage[]> {
  const snapshot = await host.snapshot({ exist: [database(layout)] }, callOptions(signal));
  return isStoreThere(layout, snapshot) ? await cli.listImages(signal) : [];
}

const database = ({ dir }: RktLayout): string => `${dir}/cas/db`;

function isStoreThere(layout: RktLayout, { existing }: HostSnapshot): boolean {
  return existing.has(database(layout));
}

function observeImages(
  { layout }: RktContext,
  seen: SeenPods,
  listed: readonly ListedImage[],
): readonly ObservedImage[] {
  const byId = new Map(listed.map((image) => [image.id, image]));
  const ours = new Set<string>();
  const images: ObservedImage[] = [];
  for (const [path, record] of imageRecords(layout, seen.snapshot.files)) {
    if (record.aci === undefined || !byId.has(record.aci)) continue;
    ours.add(record.aci);
    const { name, manifest, config, layers } = record;
    images.push({
      name,
      digest: manifest.digest,
      configDigest: config.digest,
      sizeBytes: [manifest, config, ...layers].reduce((sum, { size }) => sum + size, 0),
      fleets: fleetsOf(seen, `${path.slice(0, -"image.json".length)}${FLEET_PREFIX}`),
      inUse: seen.imagesInUse.has(imageKey(name)),
    });
  }
  // rkt knows no digest of a manifest: of somebody else's image there is only its id
  for (const { id, name, sizeBytes } of listed) {
    if (ours.has(id) || name.startsWith(ACI_PREFIX)) continue;
    const inUse = seen.acisInUse.has(id);
    const size = sizeBytes === undefined ? {} : { sizeBytes };
    images.push({ name, digest: id.replace("-", ":"), ...size, inUse });
  }
  return images;
}

function fleetsOf({ snapshot }: SeenPods, prefix: string): readonly string[] {
  return [...snapshot.files]
    .filter(([path, text]) => path.startsWith(prefix) && typeof text === "string")
    .map(([, text]) => String(text).trim())
    .sort();
}

/** What has a name of Stowage's and belongs to no pod or image. */
export function listLeftovers(
  { layout }: RktContext,
  seen: SeenPods,
  listed: readonly ListedImage[],
): readonly ObservedLeftover[] {
  const apps = new Map<string, string | undefined>();
  for (const { identity, file, manifests } of seen.pods)
    for (const name of new Set([...Object.keys(file?.containers ?? {}), ...manifests.keys()]))
      apps.set(appName(identity, name), file?.containers[name]?.uuid);
  const known = new Set(seen.pods.map(({ name }) => name));
  const folders = seen.snapshot.entries.get(layout.podsDir) ?? [];
  const named = (what: string, names: readonly string[]): [string, string][] =>
    names.map((name) => [name, what]);
  const all = new Map([
    ...named("pod", podLeftovers(seen, layout.scope, apps)),
    ...named(
      "cgroup",
      seen.cgroups.map((name) => name.replace(/\.sup$/, "")).filter((app) => !apps.has(app)),
    ),
    ...named(
      "folder of a pod",
      folders.filter((name) => name.startsWith(OBJECT_PREFIX) && !known.has(name)),
    ),
    ...named("import of an image", importLeftovers(seen, layout, listed)),
  ]);
  return [...all].map(([name, what]) => ({ name, what }));
}

/** Names of containers in pods of rkt's that another state directory has. */
function madeElsewhere({ layout }: RktContext, { rktPods }: SeenPods): readonly string[] {
  return rktPods
    .filter(({ phase, manifest }) => isWhole(phase) && isOfAnother(layout.scope, manifest))
    .flatMap(({ apps }) => apps.filter(isOurApp));
}

function isWhole(phase: SeenPods["rktPods"][number]["phase"]): boolean {
  return phase !== "garbage" && phase !== "embryo";
}

/** Pods of rkt's of our making that no generation names: earlier runs, and what a killed prepare left. */
function podLeftovers(
  { rktPods }: SeenPods,
  scope: string,
  apps: ReadonlyMap<string, string | undefined>,
): readonly string[] {
  return rktPods
    .filter(({ phase }) => isWhole(phase))
    .filter(({ uuid, apps: own, manifest }) => {
      // foreign pods have other names
      const app = own.find(isOurApp);
      if (app === undefined) return false;
      if (!apps.has(app)) return !isOfAnother(scope, manifest);
      // one of a pod that is not made to its end goes with it
      return (apps.get(app) ?? uuid) !== uuid;
    })
    .map(({ uuid }) => `${POD_LEFTOVER}${uuid}`);
}

function importLeftovers(
  { snapshot, imagesInUse }: SeenPods,
  { imagesDir, root }: RktLayout,
  listed: readonly ListedImage[],
): readonly string[] {
  const ids = new Set(listed.map(({ id }) => id));
  const folders = snapshot.entries.get(imagesDir) ?? [];
  const whole = new Set(
    folders.filter((key) => {
      const record = parseImageRecord(snapshot.files.get(`${imagesDir}/${key}/image.json`));
      if (
        record?.aci === undefined ||
        imageKey(imageName(record.reference, record.manifest.digest)) !== key
      )
        return false;
      const claimed = [...snapshot.files.keys()].some((path) =>
        path.startsWith(`${imagesDir}/${key}/${FLEET_PREFIX}`),
      );
      // what belongs to nobody any more was being removed
      return claimed || (ids.has(record.aci) && imagesInUse.has(key));
    }),
  );
  const files = (snapshot.entries.get(`${root}/tmp`) ?? []).flatMap((name) => {
    const key = /^\.?(stw-img-[0-9a-f]+)\.aci(?:\.tmp)?$/.exec(name)?.[1];
    return key === undefined ? [] : [key];
  });
  const acis = listed.flatMap(({ name }) => /^stowage\/(stw-img-[0-9a-f]+):/.exec(name)?.[1] ?? []);
  return [...new Set([...folders, ...files, ...acis])].filter((key) => !whole.has(key));
}

/** Whether an app has a name as this adapter gives them. */
export function isOurApp(name: string): boolean {
  return /^stw-(?:[a-z0-9-]*-)?[a-z2-7]{26}$/.test(name);
}
