import {
  bootUnitName,
  type EngineConfig,
  engineName,
  type RecordedGeneration,
  runsOnce,
  startStages,
} from "../../model/index.ts";
import type { Step } from "../../plan/index.ts";
import { shortDigests } from "../text/format-value.ts";
import { printable } from "../text/printable.ts";
import { formatDuration, formatTransfer, plural } from "../text/quantities.ts";

/** Steps that only keep Stowage's own notes: not worth a word where there are others. */
const BOOKKEEPING: ReadonlySet<Step["kind"]> = new Set([
  "commit",
  "forget",
  "write-roster",
  "forget-fleet",
]);

/** What the words of a pod's steps depend on. */
export interface StepView {
  /** The generation that is to run; any other one is `the old`. */
  readonly to?: RecordedGeneration | undefined;
  /** The engine that steps act on where they name no other. */
  readonly engine?: EngineConfig | undefined;
}

/** Steps as words joined by ` · `. */
export function stepLine(steps: readonly Step[], view: StepView = {}): string {
  const telling = steps.filter(({ kind }) => !BOOKKEEPING.has(kind));
  const shown = telling.length > 0 ? telling : steps;
  const isMove = steps.some((step) => "engine" in step);
  return shown.map((step) => stepWords(step, view, isMove)).join(" · ");
}

/**
 * One step for people.
 *
 * @param isMove whether steps of the change act on several engines: each then says on which
 */
export function stepWords(step: Step, view: StepView = {}, isMove = false): string {
  const { to, engine } = view;
  const old = "generation" in step && to !== undefined && step.generation !== to.generation;
  const which = placeWords(step, engine, isMove) ?? (old ? " the old" : "");
  switch (step.kind) {
    case "import-image":
      return importWords(step);
    case "claim-image":
      return `share ${imageWords(step.image.reference)}`;
    case "release-image":
      return `release ${imageWords(step.name)}`;
    case "create-volume":
      return `create volume ${step.volume}`;
    case "wait-healthy":
      return `${waitWords(to)}${step.forMs === undefined ? "" : `, then watch it for ${formatDuration(step.forMs)}`}`;
    case "wait-completed":
      return "wait until it has ended";
    case "remove-leftover":
      return `remove ${printable(step.name)}`;
    case "commit":
      return "update its record";
    case "hand-records":
      return `hand its records over from ${step.from} to ${step.to}`;
    case "forget":
      return "delete its record";
    case "write-roster":
      return "write the roster";
    case "remove-roster":
      return "delete the roster";
    case "trim-history":
      return `keep ${plural(step.keep, "old record")} of ${step.pod}`;
    case "install-unit":
      return `install ${bootUnitName(step.unit)}`;
    case "remove-unit":
      return `remove ${printable(step.name)}`;
    case "move-fleet":
      return `rename the folder of fleet ${step.from.fleet}`;
    case "forget-fleet":
      return `drop the name ${step.from.fleet}`;
    case "write-files":
      return "rewrite its files";
    case "remove-files":
      return `remove files${step.name === undefined ? "" : ` ${printable(step.name)}`}`;
    case "start":
      return `start${which}${step.aside === true ? " beside the old" : ""}${firstWords(step.containers, to)}`;
    case "take-ports":
      return "hand its ports over";
    case "prepare":
    case "drain":
    case "stop":
    case "remove":
    case "update":
      return `${step.kind}${which}`;
    default:
      return step satisfies never;
  }
}

/** Who gets an image, where that is not this machine for itself. */
const IMPORT_WORDS = {
  host: { verb: "pull", where: " on the host" },
  controller: { verb: "send", where: " from here" },
} as const;

function importWords(step: Step & { readonly kind: "import-image" }): string {
  const { image, sizeBytes, by, orSent } = step;
  const { verb, where } = by === undefined ? { verb: "import", where: "" } : IMPORT_WORDS[by];
  const size = sizeBytes === undefined ? "" : ` (${formatTransfer(sizeBytes)})`;
  const else_ = orSent === true ? ", else send it" : "";
  return `${verb} ${imageWords(image.reference)}${size}${where}${else_}`;
}

/** Where a step of a move acts; a start needs no word, as it comes after what was prepared. */
function placeWords(
  step: Step,
  engine: EngineConfig | undefined,
  isMove: boolean,
): string | undefined {
  if (!isMove || engine === undefined) return undefined;
  if ("engine" in step && step.engine !== undefined) {
    const name = engineName(step.engine, engine);
    return step.kind === "remove" ? ` from ${name}` : ` on ${name}`;
  }
  return step.kind === "prepare" ? ` on ${engine.kind}` : undefined;
}

/** What runs to its end before the rest is started. */
function firstWords(
  containers: readonly string[] | undefined,
  to: RecordedGeneration | undefined,
): string {
  if (to === undefined) return "";
  const once = startStages(to.spec)
    .flat()
    .filter((name) => runsOnce(to.spec, name) && (containers?.includes(name) ?? true));
  return once.length === 0 ? "" : `, first ${once.join(" and ")} to completion`;
}

function waitWords(to: RecordedGeneration | undefined): string {
  const probes = Object.values(to?.spec.containers ?? {}).flatMap(({ health }) => health ?? []);
  if (probes.length === 0) return "check that it runs";
  const awaited = probes.map((probe) =>
    probe.kind === "exec"
      ? printable(probe.command[0] ?? "its check")
      : `:${probe.port}${probe.kind === "http" ? (probe.path ?? "/") : ""}`,
  );
  return `wait for ${awaited.join(" and ")}`;
}

function imageWords(reference: string): string {
  return printable(shortDigests(reference)).replace(/^docker\.io\/(?:library\/)?/, "");
}
