import type { PodInstance } from "../../../engine/index.ts";
import { StowageError } from "../../../errors/index.ts";
import { settleAll } from "../../../internal/index.ts";
import {
  type AppliedImage,
  type ContainerSpec,
  objectName,
  type Resources,
} from "../../../model/index.ts";
import { describePod, type RktContext } from "../context.ts";
import { appName } from "../layout.ts";
import { limitChanges } from "../run/cgroups.ts";
import { limitLines } from "../run/launch-script.ts";
import { standingOf } from "./container-state.ts";
import { describeContainer } from "./plan-containers.ts";
import type { ContainerFile } from "./pod-file.ts";
import { describePodFile } from "./prepare-pod.ts";
import { readPod, type SeenPods } from "./read-pods.ts";
import { missingPod } from "./start-pod.ts";

const CPUS_ONLINE = "/sys/devices/system/cpu/online";

/**
 * Gives a generation its new specification: the running cgroups first, since the kernel may refuse them,
 * then the file, with the record's digest. rkt's own manifest has nothing that changes without a new pod.
 */
export async function updatePod(
  context: RktContext,
  pod: PodInstance,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { host, layout } = context;
  const name = objectName(pod.identity);
  const { pod: found, seen } = await readPod(context, pod.identity, name, [], signal);
  if (found?.file === undefined) throw missingPod(pod);
  signal?.throwIfAborted();
  const running = Object.entries(found.file.containers).filter(
    ([container]) => standingOf(seen, found, container).state === "running",
  );
  await settleAll(
    running.map(([container, was]) => updateCgroup(context, seen, pod, container, was.limits)),
  );
  const containers = Object.fromEntries(
    Object.entries(found.file.containers).map(([container, was]): [string, ContainerFile] => {
      const spec = pod.spec.containers[container];
      if (spec === undefined) return [container, was];
      const image = (pod.images[container] ?? was.image) as AppliedImage;
      return [container, { ...was, ...describeContainer(spec, image, was.commandWords) }];
    }),
  );
  const file = {
    ...found.file,
    ...describePodFile(pod.identity.pod, pod.spec),
    recordDigest: pod.recordDigest,
    containers,
  };
  await host.writeFile(`${layout.podDir(name)}/pod.json`, JSON.stringify(file));
}

async function updateCgroup(
  { host }: RktContext,
  { home }: SeenPods,
  { identity, spec }: PodInstance,
  container: string,
  before: Resources,
): Promise<void> {
  const after = (spec.containers[container] as ContainerSpec).resources ?? {};
  const freed = before.cpuset !== undefined && after.cpuset === undefined;
  const online = freed ? (await host.snapshot({ files: [CPUS_ONLINE] })).files : undefined;
  const everyCpu = String(online?.get(CPUS_ONLINE) ?? "").trim();
  const writes = limitChanges(home, appName(identity, container), before, after, everyCpu);
  if (writes.length === 0) return;
  const script = limitLines(writes, 'echo "$f" >&3; exit 1');
  const { exitCode, stdout } = await host.run(["sh", "-c", `exec 3>&1\n${script}`]);
  if (exitCode === 0) return;
  throw new StowageError(
    `Cannot change limits of container "${container}" of ${describePod(identity)}: the kernel refuses ${stdout.trim()}; declare another value, or restart it`,
    { code: "failed_precondition", context: { pod: identity.pod, container } },
  );
}
