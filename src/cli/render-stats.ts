import type { ContainerStats } from "../reconcile/index.ts";
import { columns } from "./text/layout.ts";
import type { Paint } from "./text/paint.ts";
import { formatBytes, formatTransfer } from "./text/quantities.ts";

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

/** Numbers as a table, one line a container; `-` for what the kernel does not tell. Ends with a line end. */
export function renderStats(rows: readonly StatsRow[], paint: Paint): string {
  const lines = columns([HEADER.map((word) => paint.dim(word)), ...rows.map(cells)]);
  return `${lines.join("\n")}\n`;
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
