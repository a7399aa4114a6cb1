import {
  type EngineConfig,
  engineName,
  type FleetManifest,
  type ObservedContainer,
  stateWithoutCompleted,
} from "../../model/index.ts";
import { type EngineReading, type Health, healthKey } from "../../reconcile/index.ts";
import { compareText } from "../text/compare-text.ts";

/** One container of a pod of the fleet, as `ps` lists it. */
export interface ContainerRow {
  readonly container: string;
  readonly state: string;
  readonly image: string;
  readonly digest?: string;
  readonly pid?: number;
  readonly exitCode?: number;
  readonly exitedAt?: string;
  /** How often its policy has started it again since somebody asked for a start; absent: never. */
  readonly restarts?: number;
  /** What its probe says; absent: it has none, does not run, or was not asked. */
  readonly health?: Health;
}

/** One generation of a pod of the fleet, as `ps` lists it. */
export interface PodRow {
  readonly host: string;
  readonly pod: string;
  readonly engine: string;
  /** The engine's word, or `absent` for a pod that is declared and not there. */
  readonly state: string;
  readonly generation?: number;
  readonly declared: boolean;
  readonly containers: readonly ContainerRow[];
}

/** Pods of a fleet on one host: those that are there, and those that are declared and are not. */
export function podRows(
  manifest: FleetManifest,
  host: string,
  engines: readonly Pick<EngineReading, "config" | "pods">[],
  health: ReadonlyMap<string, Health> = new Map(),
): readonly PodRow[] {
  const declared = manifest.hosts[host]?.pods ?? {};
  const engine = manifest.hosts[host]?.engine.kind ?? "";
  const own = engines.flatMap(({ config, pods }) =>
    pods
      .filter(({ owner, fleet }) => owner === manifest.id && fleet === manifest.name)
      .map((pod) => ({ pod, name: nameAmong(config, engines) })),
  );
  const there = new Set(own.map(({ pod }) => pod.pod));
  const rows: PodRow[] = own.map(({ pod, name }) => ({
    host,
    pod: pod.pod,
    engine: name,
    state: stateWithoutCompleted(pod, declared[pod.pod]),
    generation: pod.generation,
    declared: Object.hasOwn(declared, pod.pod),
    containers: Object.entries(pod.containers).map(([name, container]) =>
      containerRow(name, container, health.get(healthKey(pod, name))),
    ),
  }));
  for (const [pod, spec] of Object.entries(declared)) {
    if (there.has(pod)) continue;
    const containers = Object.entries(spec.containers).map(([container, { image }]) => ({
      container,
      state: "absent",
      image,
    }));
    rows.push({ host, pod, engine, state: "absent", declared: true, containers });
  }
  return rows.sort(
    (a, b) => compareText(a.pod, b.pod) || (a.generation ?? 0) - (b.generation ?? 0),
  );
}

/** An engine's kind, and more where the host has two of it. */
function nameAmong(
  config: EngineConfig,
  engines: readonly { readonly config: EngineConfig }[],
): string {
  const other = engines.find((each) => each.config !== config && each.config.kind === config.kind);
  return engineName(config, other?.config);
}

function containerRow(
  container: string,
  observed: ObservedContainer,
  health: Health | undefined,
): ContainerRow {
  const { state, image, pid, exitCode, exitedAt, restarts = 0 } = observed;
  return {
    container,
    state,
    ...imageColumns(image),
    ...(pid === undefined ? {} : { pid }),
    ...(exitCode === undefined ? {} : { exitCode }),
    ...(exitedAt === undefined ? {} : { exitedAt }),
    ...(restarts === 0 ? {} : { restarts }),
    ...(health === undefined ? {} : { health }),
  };
}

/** Of its name and its digest; some engines keep a reference that was declared with one whole. */
function imageColumns({
  reference,
  digest,
}: ObservedContainer["image"]): Pick<ContainerRow, "image" | "digest"> {
  if (digest === undefined) return { image: reference };
  return { image: reference.split("@")[0] ?? reference, digest };
}
