import { shortDigests } from "../text/format-value.ts";
import { columns } from "../text/layout.ts";
import type { Paint } from "../text/paint.ts";
import { printable } from "../text/printable.ts";
import { formatAge, plural } from "../text/quantities.ts";
import type { ContainerRow, PodRow } from "./pod-rows.ts";

/** Characters of a reason that a table has room for; JSON has all of it. */
const REASON_MAX = 60;

const HEADER = ["HOST", "POD", "ENGINE", "STATE", "GEN", "CONTAINER", "STATUS", "HEALTH", "IMAGE"];

/** Pods as a table, one line a container. Ends with a line end. */
export function renderPs(
  rows: readonly PodRow[],
  options: { readonly paint: Paint; readonly now: Date },
): string {
  const { paint, now } = options;
  const lines = columns([
    HEADER.map((word) => paint.dim(word)),
    ...rows.flatMap((row) => row.containers.map((container) => cells(row, container, paint, now))),
  ]);
  return `${lines.join("\n")}\n`;
}

function cells(row: PodRow, container: ContainerRow, paint: Paint, now: Date): readonly string[] {
  return [
    row.host,
    row.pod,
    row.engine,
    `${stateColour(row.state, paint)(row.state)}${row.declared ? "" : " (not declared)"}`,
    row.generation === undefined ? "-" : String(row.generation),
    container.container,
    status(container, now),
    health(container, paint),
    image(container),
  ];
}

/** One that ends and is started again for ever is found running: how often tells it from one that keeps running. */
function status(container: ContainerRow, now: Date): string {
  const { restarts } = container;
  const words = stateWords(container, now);
  return restarts === undefined ? words : `${words}, restarted ${plural(restarts, "time")}`;
}

function stateWords({ state, exitCode, exitedAt, pid }: ContainerRow, now: Date): string {
  if (state === "running" && pid !== undefined) return `running, pid ${pid}`;
  if (state !== "exited") return state;
  const code = exitCode === undefined ? "exited" : `exited with ${exitCode}`;
  const ago = exitedAt === undefined ? Number.NaN : now.getTime() - Date.parse(exitedAt);
  return Number.isFinite(ago) ? `${code} ${formatAge(ago)} ago` : code;
}

function health({ health: found }: ContainerRow, paint: Paint): string {
  if (found === undefined) return "-";
  const { state, reason } = found;
  const why = reason === undefined ? "" : `: ${printable(reason).slice(0, REASON_MAX)}`;
  if (state === "healthy") return paint.green(state);
  return state === "starting" ? paint.yellow(state) : paint.red(`${state}${why}`);
}

function image({ image: reference, digest }: ContainerRow): string {
  const name = shortDigests(printable(reference)).replace(/^docker\.io\/(?:library\/)?/, "");
  return digest === undefined || name.includes("@") ? name : `${name} (${shortDigests(digest)})`;
}

function stateColour(state: string, paint: Paint): (text: string) => string {
  if (state === "running") return paint.green;
  return state === "prepared" ? paint.yellow : paint.red;
}
