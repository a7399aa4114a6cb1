import type { DiskApp, DiskPod } from "./disk-pod.ts";
import type { Transcript } from "./recorded-run.ts";

/** The pods that an answer of `list` or `status` tells of: what must lie on disk for it to be given. */
export function podsOfAnswer({ stdout, words }: Transcript): readonly DiskPod[] {
  if (/^[[{]/.test(stdout)) return podsOfJson(stdout);
  if (stdout.startsWith("UUID")) return podsOfTable(stdout);
  if (stdout.startsWith("state=")) return [podOfLines(stdout, words.at(-1) ?? "")];
  return [];
}

interface JsonApp {
  readonly name: string;
  readonly created_at: string;
  readonly started_at?: string;
  readonly exit_code?: number;
  readonly image_id: string;
  readonly mounts?: NonNullable<DiskApp["mounts"]>;
  readonly user_annotations?: Readonly<Record<string, string>>;
  readonly user_labels?: Readonly<Record<string, string>>;
}

interface JsonPod extends Pick<JsonApp, "user_annotations" | "user_labels"> {
  readonly name: string;
  readonly state: string;
  readonly apps: readonly JsonApp[];
  readonly networks?: readonly object[];
}

function podsOfJson(stdout: string): readonly DiskPod[] {
  // nanoseconds are more than a number of JavaScript holds
  const exact = stdout.replace(/: ?(\d{16,})/g, ':"$1"');
  const found = JSON.parse(exact) as JsonPod | readonly JsonPod[];
  return [found].flat().map((pod) => {
    const [first] = pod.apps;
    return {
      uuid: pod.name,
      state: pod.state,
      ...optional("created", fromNanoseconds(first?.created_at)),
      ...optional("started", fromNanoseconds(first?.started_at)),
      ...optional("networks", pod.networks),
      ...optional("userAnnotations", pod.user_annotations),
      ...optional("userLabels", pod.user_labels),
      apps: pod.apps.map((app) => ({
        name: app.name,
        imageId: app.image_id,
        ...optional("exitCode", app.exit_code),
        ...optional("mounts", app.mounts),
        ...optional("userAnnotations", app.user_annotations),
        ...optional("userLabels", app.user_labels),
      })),
    };
  });
}

function podOfLines(stdout: string, given: string): DiskPod {
  const lines = new Map(
    stdout.split("\n").map((line): [string, string] => {
      const at = line.indexOf("=");
      return [line.slice(0, at), line.slice(at + 1)];
    }),
  );
  const state = lines.get("state") ?? "";
  const created = lines.get("created");
  const [, network, ip] = /(\S+):ip4=(\S+)/.exec(lines.get("networks") ?? "") ?? [];
  const codes = [...lines].filter(([key]) => key.startsWith("app-"));
  const names = codes.length === 0 ? ["app-a"] : codes.map(([key]) => key);
  return {
    uuid: given.startsWith("-") ? wholeUuid("0") : wholeUuid(given),
    state,
    ...optional("created", created?.startsWith("0001") ? undefined : touchTime(created)),
    ...optional("started", touchTime(lines.get("started"))),
    ...optional("pid", lines.has("pid") ? Number(lines.get("pid")) : undefined),
    ...(network === undefined ? {} : { networks: [{ netName: network, ip }] }),
    apps: names.map((key) => ({
      name: key.slice(4),
      imageId: SOME_IMAGE,
      ...optional("exitCode", lines.has(key) ? Number(lines.get(key)) : undefined),
    })),
  };
}

const SOME_IMAGE = `sha512-${"9d401515c741".padEnd(64, "0")}`;

function podsOfTable(stdout: string): readonly DiskPod[] {
  const [head = "", ...rows] = stdout.trimEnd().split("\n");
  const columns = starts(head);
  const cell = (row: string, title: string) => {
    const at = columns.findIndex(([name]) => name === title);
    if (at < 0) return "";
    return cut(row, columns[at]?.[1] ?? 0, columns[at + 1]?.[1] ?? Number.POSITIVE_INFINITY);
  };
  const pods: { pod: DiskPod; apps: DiskApp[] }[] = [];
  for (const row of rows) {
    const uuid = cell(row, "UUID");
    const name = cell(row, "APP");
    const app = {
      name,
      imageId: cell(row, "IMAGE ID").padEnd(71, "0"),
      image: cell(row, "IMAGE NAME"),
    };
    if (uuid === "") {
      pods.at(-1)?.apps.push(app);
      continue;
    }
    const [state, created, started] = ["STATE", "CREATED", "STARTED"].map((title) =>
      cell(row, title),
    );
    const apps = name === "-" ? [] : [app];
    const [network, ip] = cell(row, "NETWORKS").split(":ip4=");
    pods.push({
      apps,
      pod: {
        uuid: wholeUuid(uuid),
        state: state ?? "",
        ...optional("created", tableTime(created)),
        ...optional("started", tableTime(started)),
        ...(ip === undefined ? {} : { networks: [{ netName: network, ip }] }),
        apps,
      },
    });
  }
  return pods.map(({ pod }) => pod);
}

/** The titles of a head and the columns of the screen at which they begin. */
function starts(head: string): readonly (readonly [string, number])[] {
  let column = 0;
  return [...head.matchAll(/([^\t]+)(\t*)/g)].map(([, title = "", tabs = ""]) => {
    const start = column;
    column = (Math.floor((column + title.length) / 8) + tabs.length) * 8;
    return [title, start] as const;
  });
}

/** What a row shows between two columns of the screen. */
function cut(row: string, from: number, to: number): string {
  let shown = "";
  for (const sign of row) {
    shown = sign === "\t" ? shown.padEnd((Math.floor(shown.length / 8) + 1) * 8) : shown + sign;
  }
  return shown.slice(from, to).trimEnd();
}

function tableTime(text: string | undefined): string | undefined {
  if (text === undefined || text === "" || text === "a long while ago") return undefined;
  const [, count, unit] = /^(\d+) (second|minute)s? ago$/.exec(text) ?? [];
  if (text === "now") return "now";
  // in the middle of what rounds to the same
  if (unit === "second") return `@${(Date.now() / 1000 - Number(count) - 0.05).toFixed(3)}`;
  if (unit === "minute") return `@${(Date.now() / 1000 - Number(count) * 60 - 20).toFixed(3)}`;
  return touchTime(text);
}

/** The start of a UUID made whole. */
function wholeUuid(start: string): string {
  return start + "00000000-0000-4000-8000-000000000000".slice(start.length);
}

function touchTime(text: string | undefined): string | undefined {
  return text?.replace(" +0000 UTC", "Z");
}

function fromNanoseconds(text: string | undefined): string | undefined {
  return text && `@${text.slice(0, -9)}.${text.slice(-9)}`;
}

function optional<K extends string, V>(key: K, value: V | undefined): Partial<Record<K, V>> {
  return value === undefined ? {} : ({ [key]: value } as Record<K, V>);
}
