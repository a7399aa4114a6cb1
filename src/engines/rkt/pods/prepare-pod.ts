import { type PodInstance, podDeclaredPaths } from "../../../engine/index.ts";
import { StowageError } from "../../../errors/index.ts";
import { LOG_WRITER_NAME, LOG_WRITER_SCRIPT } from "../../../host/index.ts";
import { settleAll } from "../../../internal/index.ts";
import { objectName, type PodSpec } from "../../../model/index.ts";
import { callOptions, describePod, type RktContext } from "../context.ts";
import { forgetMissing } from "../images/forget-missing.ts";
import { type ContainerPlan, planContainers } from "./plan-containers.ts";
import { type PodFile, parseManifest } from "./pod-file.ts";
import { readPod } from "./read-pods.ts";
import { removePod } from "./remove-pod.ts";

/**
 * Makes a generation as far as rkt's prepared pods, one a container.
 *
 * The pod manifests come first: they say whose what is left of a call is that was interrupted. The pod's
 * file comes when all of it is there, and tells a finished one.
 */
export async function preparePod(
  context: RktContext,
  pod: PodInstance,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { host, layout } = context;
  const name = objectName(pod.identity);
  const { pod: found } = await readPod(context, pod.identity, name, [], signal);
  if (found?.file !== undefined) {
    if (found.file.recordDigest === pod.recordDigest) return;
    throw new StowageError(
      `Cannot prepare ${describePod(pod.identity)}: it exists with another record; use a new generation`,
      {
        code: "already_exists",
        context: { pod: pod.identity.pod, found: found.file.recordDigest },
      },
    );
  }
  if (found !== undefined) await removePod(context, pod.identity, signal);
  const plans = await planContainers(context, pod, signal);
  await ensureLogWriter(context, signal);
  signal?.throwIfAborted();
  try {
    const uuids = await settleAll(
      plans.map((plan) => prepareContainer(context, name, plan, signal)),
    );
    signal?.throwIfAborted();
    const file = podFile(pod, plans, uuids);
    await host.writeFile(`${layout.podDir(name)}/pod.json`, JSON.stringify(file));
  } catch (error) {
    // after an abort nobody waits for this: the next pass finds what is left
    if (signal?.aborted === true) throw error;
    await removePod(context, pod.identity, undefined).catch(() => undefined);
    throw error;
  }
}

async function prepareContainer(
  context: RktContext,
  podName: string,
  plan: ContainerPlan,
  signal: AbortSignal | undefined,
): Promise<string> {
  const file = `${context.layout.podDir(podName)}/${plan.name}.manifest`;
  await context.host.writeFile(file, plan.manifest, callOptions(signal));
  return await prepareFrom(context, file);
}

/** Prepares a pod of rkt's from a manifest on the host; what a killed one leaves is removed. */
export async function prepareFrom(context: RktContext, file: string): Promise<string> {
  const { host, layout, cli } = context;
  const folder = `${layout.dir}/pods/prepare`;
  try {
    return await cli.prepare(file);
  } catch (error) {
    const { entries } = await host.snapshot({ list: [folder] });
    const apps = parseManifest(await textOf(host, file))?.apps ?? [];
    const infos = (entries.get(folder) ?? []).map(
      (uuid) => `${folder}/${uuid}/appsinfo/${apps[0]?.name ?? ""}`,
    );
    const { existing } = await host.snapshot({ exist: infos });
    const left = [...existing].map((path) => path.slice(folder.length + 1).split("/")[0] ?? "");
    await cli.removePods(left).catch(() => undefined);
    await forgetMissing(
      context,
      apps.map(({ image }) => image.id),
    );
    throw error;
  }
}

async function textOf(host: RktContext["host"], file: string): Promise<string> {
  const { files } = await host.snapshot({ files: [file] });
  const text = files.get(file);
  return typeof text === "string" ? text : "";
}

/** The script that keeps output; another text has another name. */
async function ensureLogWriter(
  { host, layout }: RktContext,
  signal: AbortSignal | undefined,
): Promise<void> {
  const path = layout.logWriter(LOG_WRITER_NAME);
  const { existing } = await host.snapshot({ exist: [path] }, callOptions(signal));
  // made whole, since others prepare at the same time
  if (!existing.has(path)) await host.createFile(path, LOG_WRITER_SCRIPT, callOptions(signal));
}

function podFile(
  { identity, spec, recordDigest }: PodInstance,
  plans: readonly ContainerPlan[],
  uuids: readonly string[],
): PodFile {
  return {
    version: 1,
    identity,
    recordDigest,
    ...describePodFile(identity.pod, spec),
    containers: Object.fromEntries(
      plans.map(({ name, file }, at) => [name, { uuid: uuids[at] ?? "", ...file }]),
    ),
  };
}

/** What of a pod's file follows from its declaration alone. */
export function describePodFile(
  podName: string,
  spec: PodSpec,
): Pick<PodFile, "network" | "hostname" | "podDeclared" | "tmpfs"> {
  return {
    network: spec.network?.mode ?? "none",
    hostname: spec.hostname ?? podName,
    podDeclared: [...podDeclaredPaths(spec)],
    tmpfs: Object.entries(spec.volumes ?? {})
      .filter(([, { kind }]) => kind === "tmpfs")
      .map(([name]) => name)
      .sort(),
  };
}
