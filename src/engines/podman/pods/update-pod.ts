import { declaredPaths, type PodInstance, podDeclaredPaths } from "../../../engine/index.ts";
import { settleAll } from "../../../internal/index.ts";
import { objectName, type Resources } from "../../../model/index.ts";
import type { PodmanContext } from "../context.ts";
import { readLives } from "./life.ts";
import { changeLimits, sameLimits } from "./limit-changes.ts";
import { findGeneration, inspectContainers } from "./lists.ts";
import { parseNotes } from "./notes.ts";
import { limitsOf, readChanges, writeChanges } from "./pod-changes.ts";
import { notThere } from "./see-containers.ts";

/**
 * Gives a generation its new specification: the running cgroups first, since the kernel may refuse
 * them, then the file that the next start goes by, which has the record's digest too.
 */
export async function updatePod(
  context: PodmanContext,
  pod: PodInstance,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { identity, spec, recordDigest } = pod;
  const { containers } = await findGeneration(context, identity, signal);
  const names = Object.keys(spec.containers);
  for (const name of names) if (!containers.has(name)) throw notThere(pod, name);
  const ids = Object.fromEntries([...containers].map(([name, { Id }]) => [name, Id]));
  const changes = await readChanges(context, identity, ids, signal);
  const found = await inspectContainers(context, Object.values(ids), signal);
  const lives = await readLives(context.host, found, signal);
  signal?.throwIfAborted();
  context.fresh.delete(objectName(identity));
  const resources: Record<string, Resources> = {};
  await settleAll(
    names.map(async (name) => {
      const after: Resources = spec.containers[name]?.resources ?? {};
      resources[name] = after;
      const each = found.find(({ Id }) => Id === ids[name]);
      const life = each === undefined ? undefined : lives.get(each.Id);
      if (each === undefined || life?.alive !== true) return;
      const before = limitsOf(changes, name, parseNotes(each.Config.Labels)?.resources ?? {});
      // the same ones are set again: somebody may have changed what is in force
      if (Object.keys(after).length === 0 && sameLimits(before as Limits, after as Limits)) return;
      await changeLimits(context, { id: each.Id, cgroupPath: life.cgroupPath, before, after });
    }),
  );
  await writeChanges(context, identity, {
    ids,
    recordDigest,
    resources: resources as Record<string, Record<string, number | string>>,
    declared: Object.fromEntries(
      Object.entries(spec.containers).map(([name, each]) => [name, [...declaredPaths(each)]]),
    ),
    podDeclared: [...podDeclaredPaths(spec)],
    images: Object.fromEntries(
      Object.entries(pod.images).map(([name, { reference }]) => [name, reference]),
    ),
  });
}

type Limits = Readonly<Record<string, number | string>>;
