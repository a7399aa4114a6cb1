import type { ContainerStats } from "../../reconcile/index.ts";
import { columns } from "../text/layout.ts";
import type { Paint } from "../text/paint.ts";
import { formatBytes, formatTransfer } from "../text/quantities.ts";

/** A container's numbers, and where it is. */
export interface StatsRow extends ContainerStats {
  readonly host: string;
}

const HEADER = [
  "HOST",
  "POD",
  "ENGINE",
  "CONTAINER",
  "CPU",
  "MEMORY",
  "LIMIT",
  "PIDS",
  "NET IN/OUT",
  "DISK READ/WRITTEN",
];

/** Words for numbers that may be counted with those of others. */
const WORDS = { cpuUs: "CPU", memoryBytes: "memory", pids: "processes", readBytes: "disk" };
const SHARED =
  "the kernel counts it together with other processes, because the container has no cgroup of its own for it";

/**
 * Numbers as a table, one line a container; `-` for what is not known, and below it why that is, where it is the
 * container's cgroups. Ends with a line end.
 */
export function renderStats(rows: readonly StatsRow[], paint: Paint): string {
  const lines = columns([HEADER.map((word) => paint.dim(word)), ...rows.map(cells)]);
  const unknown = new Map<string, string[]>();
  for (const { host, pod, container, shared } of rows) {
    if (shared === undefined) continue;
    const numbers = shared.map((number) => WORDS[number]).join(", ");
    unknown.set(numbers, [...(unknown.get(numbers) ?? []), `${host}/${pod}/${container}`]);
  }
  const notes = [...unknown].map(
    ([numbers, names]) => `not known of ${names.join(", ")}: ${numbers}; ${SHARED}`,
  );
  return `${[...lines, ...notes.map((note) => paint.dim(note))].join("\n")}\n`;
}

/** Numbers for programs: null for what is not known, and why, where it is the container's cgroups. */
export function statsJson({ shared, cpuUs, ...row }: StatsRow): object {
  const unknown = { cpuPercent: null, memoryBytes: null, pids: null };
  const bytes = { receivedBytes: null, sentBytes: null, readBytes: null, writtenBytes: null };
  return {
    ...{ ...unknown, ...bytes, ...row },
    ...(cpuUs === undefined ? {} : { cpuUs }),
    ...(shared === undefined
      ? {}
      : { notKnown: { numbers: shared.map((number) => WORDS[number]), why: SHARED } }),
  };
}

function cells(row: StatsRow): readonly string[] {
  const { pids, pidsLimit, cpuPercent } = row;
  return [
    row.host,
    row.pod,
    row.engine,
    row.container,
    cpuPercent === undefined ? "-" : `${cpuPercent.toFixed(1)} %`,
    row.memoryBytes === undefined ? "-" : formatBytes(row.memoryBytes),
    row.memoryLimitBytes === undefined ? "-" : formatBytes(row.memoryLimitBytes),
    pids === undefined ? "-" : `${pids}${pidsLimit === undefined ? "" : ` of ${pidsLimit}`}`,
    pair(row.receivedBytes, row.sentBytes),
    pair(row.readBytes, row.writtenBytes),
  ];
}

function pair(one: number | undefined, other: number | undefined): string {
  if (one === undefined || other === undefined) return "-";
  return `${formatTransfer(one)} / ${formatTransfer(other)}`;
}
