import { StowageError } from "../../../errors/index.ts";
import type { PodSpec, Volume } from "../../../model/index.ts";
import type { RktContext } from "../context.ts";
import { quote } from "../run/quote.ts";

/** Volumes in memory that a pod has, by name. */
export type TmpfsVolumes = Readonly<Record<string, Extract<Volume, { kind: "tmpfs" }>>>;

/**
 * Makes what containers of a pod share while it runs: its tmpfs volumes, empty, and a network namespace
 * where there are several containers. What is there already stays.
 */
export async function takeExclusive(
  { host, layout }: RktContext,
  podName: string,
  volumes: TmpfsVolumes,
  namespace: boolean,
): Promise<void> {
  const mounts = Object.entries(volumes).map(([name, { sizeBytes, mode = "1777" }]) => {
    const options = [`mode=${mode}`, ...(sizeBytes === undefined ? [] : [`size=${sizeBytes}`])];
    const directory = quote(`${layout.tmpfsDir(podName)}/${name}`);
    return `mkdir -p ${directory}
mountpoint -q ${directory} || mount -t tmpfs -o ${options.join(",")} tmpfs ${directory}`;
  });
  const file = quote(layout.netnsFile(podName));
  const netns = `mkdir -p ${quote(`${layout.runRoot}/netns`)}
mountpoint -q ${file} || { : >>${file}; unshare --net=${file} ip link set lo up; }`;
  const script = [...mounts, ...(namespace ? [netns] : [])].join("\n");
  if (script === "") return;
  const { exitCode, stderr } = await host.run(["sh", "-ec", `umask 077\n${script}`]);
  if (exitCode === 0) return;
  throw new StowageError(
    `Cannot make the volumes and the network of "${podName}": ${stderr.trim().slice(0, 300)}`,
    { code: "failed_precondition", context: { pod: podName } },
  );
}

/** Gives up what {@link takeExclusive} made; absent: nothing happens. */
export async function releaseExclusive(
  { host, layout }: RktContext,
  podName: string,
  tmpfs: readonly string[],
): Promise<void> {
  const netns = layout.netnsFile(podName);
  const root = layout.tmpfsDir(podName);
  const { existing } = await host.snapshot({ exist: [netns, root] });
  if (existing.size === 0) return;
  const mounts = [netns, ...tmpfs.map((name) => `${root}/${name}`)];
  // once for each time that it was mounted
  const script = `for m; do
  while umount "$m" 2>/dev/null; do :; done
done
rm -f ${quote(netns)}
for d in ${quote(root)}/*/; do
  while umount "$d" 2>/dev/null; do :; done
done
[ -d ${quote(root)} ] && rmdir ${quote(root)}/*/ ${quote(root)} 2>/dev/null
exit 0`;
  await host.run(["sh", "-c", script, "sh", ...mounts]);
}

/** Whether the containers of a pod have one network namespace together that has to be kept by a file. */
export function sharesNamespace({ network, containers }: PodSpec): boolean {
  return (network?.mode ?? "none") === "none" && Object.keys(containers).length > 1;
}
