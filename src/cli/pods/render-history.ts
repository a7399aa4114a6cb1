import type { AppliedImage, AuditLine, NumberedRecord } from "../../model/index.ts";
import { actionWord } from "../apply/outcome-words.ts";
import { shortDigests } from "../text/format-value.ts";
import { columns } from "../text/layout.ts";
import type { Paint } from "../text/paint.ts";
import { printable } from "../text/printable.ts";

/** One record of a pod, as `history` lists it. */
export interface HistoryRow {
  readonly host: string;
  readonly pod: string;
  readonly number: number;
  readonly current: boolean;
  readonly generation: number;
  /** The host that it was applied on, where the pod came from there. */
  readonly appliedOn?: string;
  readonly appliedAt: string;
  readonly by: string;
  /** The machine that it was applied from. */
  readonly from: string;
  readonly engine?: string;
  /** By container. */
  readonly images: Readonly<Record<string, AppliedImage>>;
}

/** One run on a host, as `history --audit` lists it. */
export interface AuditRow {
  readonly host: string;
  readonly run: string;
  readonly fleet: string;
  readonly command: string;
  readonly by: string;
  readonly from: string;
  readonly beganAt: string;
  /** Absent: it was killed, or still runs. */
  readonly endedAt?: string;
  readonly result?: string;
  readonly changes: AuditLine["changes"];
  readonly more?: number;
}

const HISTORY_HEADER = ["HOST", "POD", "N", "GEN", "APPLIED", "BY", "FROM", "IMAGES"];
const AUDIT_HEADER = ["HOST", "FLEET", "BEGAN", "BY", "FROM", "COMMAND", "RESULT", "CHANGES"];
/** Changes that a table has room for; JSON has all. */
const SHOWN_CHANGES = 3;

/** The records of a host's pods. */
export function historyRows(
  host: string,
  records: ReadonlyMap<string, readonly NumberedRecord[]>,
): readonly HistoryRow[] {
  return [...records].flatMap(([pod, list]) =>
    list.map(
      ({ number, generation, isCurrent, appliedAt, appliedBy, engine, images, ...more }) => ({
        host,
        pod,
        number,
        current: isCurrent,
        generation,
        ...(more.host === undefined ? {} : { appliedOn: more.host }),
        appliedAt,
        ...whoAndWhere(appliedBy),
        ...(engine === undefined ? {} : { engine: engine.kind }),
        images,
      }),
    ),
  );
}

/** The runs on a host, newest first; its beginning and its end make one. */
export function auditRows(host: string, lines: readonly AuditLine[]): readonly AuditRow[] {
  const rows = new Map<string, AuditRow>();
  for (const line of lines) {
    const { run, fleet, command, by, at, event, changes, more, result } = line;
    const began = rows.get(run) ?? { host, run, fleet, command, beganAt: at, ...whoAndWhere(by) };
    rows.set(run, {
      ...began,
      changes,
      ...(more === undefined ? {} : { more }),
      ...(event === "began" ? {} : { endedAt: at }),
      ...(result === undefined ? {} : { result }),
    });
  }
  return [...rows.values()].reverse();
}

/** Records as a table, one line a record. Ends with a line end. */
export function renderHistory(
  rows: readonly HistoryRow[],
  { paint }: { readonly paint: Paint },
): string {
  const cells = rows.map((row) => [
    row.host,
    row.pod,
    row.current ? `${row.number} (now)` : String(row.number),
    row.appliedOn === undefined ? String(row.generation) : `${row.generation} on ${row.appliedOn}`,
    shortTime(row.appliedAt),
    printable(row.by),
    printable(row.from),
    imageWords(row.images),
  ]);
  return table(HISTORY_HEADER, cells, paint);
}

/** Runs as a table, one line a run. Ends with a line end. */
export function renderAudit(
  rows: readonly AuditRow[],
  { paint }: { readonly paint: Paint },
): string {
  const cells = rows.map((row) => [
    row.host,
    printable(row.fleet),
    shortTime(row.beganAt),
    printable(row.by),
    printable(row.from),
    printable(row.command),
    printable(row.result ?? "no end"),
    changeWords(row),
  ]);
  return table(AUDIT_HEADER, cells, paint);
}

function table(
  header: readonly string[],
  cells: readonly (readonly string[])[],
  paint: Paint,
): string {
  return `${columns([header.map((word) => paint.dim(word)), ...cells]).join("\n")}\n`;
}

/** `user@machine` taken apart. */
function whoAndWhere(appliedBy: string): { readonly by: string; readonly from: string } {
  const at = appliedBy.lastIndexOf("@");
  return at < 0
    ? { by: appliedBy, from: "-" }
    : { by: appliedBy.slice(0, at), from: appliedBy.slice(at + 1) };
}

function shortTime(time: string): string {
  return printable(time.replace(/\.\d+Z$/, "Z"));
}

function imageWords(images: HistoryRow["images"]): string {
  return Object.entries(images)
    .map(([container, { reference, digest }]) => {
      const name = Object.keys(images).length === 1 ? "" : `${container} `;
      return printable(`${name}${reference} ${shortDigests(digest)}`);
    })
    .join(", ");
}

/** What is done to a host itself, in words that stand without what it is done to. */
const HOST_WORDS: Readonly<Record<string, string>> = {
  roster: "write the roster",
  boot: "set up for the next boot",
  leave: "leave the fleet",
};
const IMAGE_WORDS: Readonly<Record<string, string>> = {
  import: "import image",
  claim: "share image",
  release: "release image",
};

function changeWords({ host, changes, more = 0 }: AuditRow): string {
  const shown = changes.slice(0, SHOWN_CHANGES).map(({ id, action, status }) => {
    const result = status === undefined || status === "done" ? "" : ` (${status})`;
    return printable(`${changeWord(host, id, action)}${result}`);
  });
  const left = changes.length - shown.length + more;
  return [...shown, ...(left === 0 ? [] : [`${left} more`])].join(", ");
}

/** A change by the words of plans: its id has the host, which has a column of its own. */
function changeWord(host: string, id: string, action: string): string {
  const whole = HOST_WORDS[action];
  if (whole !== undefined) return whole;
  const own = id.startsWith(`${host}/`) ? id.slice(host.length + 1) : id;
  const image = IMAGE_WORDS[action];
  if (image !== undefined) return `${image} ${shortDigests(own.replace(/^(?:.*\/)?image:/, ""))}`;
  return `${actionWord(action)} ${own.replace(/^rename:/, "")}`;
}
