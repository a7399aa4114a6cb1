import { type Action, OTHER_NAME, type PodChange, type Reason } from "../../plan/index.ts";
import { printable } from "../text/printable.ts";
import { formatAge, plural } from "../text/quantities.ts";

const ACTION_WORDS: Readonly<Record<Action, string>> = {
  create: "create",
  start: "start",
  update: "update while it runs",
  restart: "restart",
  replace: "replace",
  "move-engine": "move",
  remove: "remove",
  adopt: "finish",
  clean: "clean up",
};

/** An action as plans count it. */
export function countedWord(action: Action): string {
  return action === "update" ? action : ACTION_WORDS[action];
}

const FIELD_WORDS: Readonly<Record<string, string>> = {
  image: "the image",
  command: "the command",
  args: "the arguments",
  env: "the environment",
  mounts: "the mounts",
  files: "the files",
  resources: "the limits",
  ulimits: "the limits",
  health: "the health check",
  security: "the security settings",
  devices: "the devices",
  logging: "the logging",
  volumes: "the volumes",
  network: "the network",
  ports: "the ports",
  restart: "the restart policy",
  labels: "the labels",
};

const ISO_TIME = / at (\d{4}-\d{2}-\d{2}T[\d:.]+Z)/g;

/** What happens to a pod and why, in one clause: `replace, because the image changed`. */
export function headline(change: PodChange, now: Date): string {
  if (change.action === "move-engine") return moveWords(change);
  const { movesTo, movesFrom } = change;
  if (movesTo !== undefined) return `move to ${movesTo}`;
  const from = movesFrom === undefined ? "" : `, moves here from ${movesFrom}`;
  const word = `${ACTION_WORDS[change.action]}${from}`;
  const why = because(change, now);
  return why === undefined ? word : `${word}, because ${why}`;
}

/** Reasons that are a sentence about the pod or a container, and do not name a field. */
export function sentences(change: PodChange, now: Date): readonly string[] {
  const several =
    new Set(change.reasons.map(({ path }) => path)).size > 1 ||
    Object.keys(change.to?.spec.containers ?? {}).length > 1;
  return change.reasons.filter(isSentence).map(({ path, text }) => {
    const said = printable(relativeTimes(text ?? "", now));
    const container = path.split(".")[1];
    return several && container !== undefined ? `${container}: ${said}` : said;
  });
}

/** Reasons that name a field; where two speak of one field, the one that says more. */
export function fieldReasons(change: PodChange): readonly Reason[] {
  const byPath = new Map<string, Reason>();
  for (const reason of change.reasons) if (!isSentence(reason)) byPath.set(reason.path, reason);
  return [...byPath.values()];
}

function isSentence({ path, text }: Reason): boolean {
  return text !== undefined && (path === "" || /^containers\.[^.]+$/.test(path));
}

/** `move from containerd to rkt`, and what else changes on the way. */
function moveWords(change: PodChange): string {
  const move = change.reasons.find(({ path }) => path === "engine");
  const others = fieldReasons(change).filter(({ path }) => path !== "engine");
  const also = others.length === 0 ? "" : `; ${changedWords(others)} too`;
  return `move from ${String(move?.before)} to ${String(move?.after)}${also}`;
}

function because(change: PodChange, now: Date): string | undefined {
  const fields = fieldReasons(change);
  const decisive = fields.filter(({ verdict }) => verdict === change.action);
  const [first] = sentences(change, now);
  if (decisive.length === 0 && first !== undefined) {
    return change.action === "create" && change.reasons[0]?.kind === "declared" ? undefined : first;
  }
  const named = decisive.length > 0 ? decisive : fields;
  if (named.length === 0) return undefined;
  const drifted = named.every(({ kind }) => kind === "drift");
  return drifted ? `${changedWords(named)} behind Stowage's back` : changedWords(named);
}

function changedWords(reasons: readonly Reason[]): string {
  const whole = reasons.map(wholeContainer);
  const [container] = whole;
  if (container !== undefined && whole.every((each) => each === container)) return container;
  const words = [
    ...new Set(
      reasons.map(({ path, text }) =>
        text === OTHER_NAME ? "the image's name" : fieldWords(path),
      ),
    ),
  ];
  if (words.length === 1) return `${words[0]} changed`;
  if (words.length === 2) return `${words[0]} and ${words[1]} changed`;
  return `${words[0]} and ${plural(words.length - 1, "other field")} changed`;
}

/** Says that a container came or went, which its image's coming or going shows. */
function wholeContainer({ path }: Reason, _: number, all: readonly Reason[]): string | undefined {
  const name = /^containers\.([^.]+)\./.exec(path)?.[1];
  if (name === undefined) return undefined;
  const image = all.find((each) => each.path === `containers.${name}.image`);
  if (image === undefined) return undefined;
  if (image.before === undefined && image.after !== undefined) return `container ${name} is new`;
  if (image.before !== undefined && image.after === undefined)
    return `container ${name} is not declared`;
  return undefined;
}

/** A field for people: `the image`, `the limits`. */
export function fieldWords(path: string): string {
  const own = path.replace(/^containers\.[^.]+\./, "");
  const name = /^[A-Za-z]+/.exec(own)?.[0] ?? own;
  return FIELD_WORDS[name] ?? spaced(name.replace(/(?:Bytes|Millis|Ms)$/, ""));
}

/** `pidsMax` as `pids max`. */
export function spaced(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function relativeTimes(text: string, now: Date): string {
  return text.replaceAll(ISO_TIME, (whole, iso: string) => {
    const ago = now.getTime() - Date.parse(iso);
    return Number.isFinite(ago) && ago >= 0 ? ` ${formatAge(ago)} ago` : whole;
  });
}
