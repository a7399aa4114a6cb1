import type { ConfigDocument } from "./documents.ts";

/** How an image wants to be run; what it does not say is absent. */
export interface ImageConfig {
  /** `NAME=value`, one entry a name: of several the last counts; one without `=` is left out. */
  readonly env?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly cmd?: readonly string[];
  readonly workingDir?: string;
  /** `user`, `uid`, `user:group` or `uid:gid`; names are the image's own. */
  readonly user?: string;
  /** `port/protocol`, sorted. */
  readonly exposedPorts?: readonly string[];
  /** A name or a number: `SIGTERM`, `15`. */
  readonly stopSignal?: string;
  /** Paths that the image declares as volumes, sorted. */
  readonly volumes?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
}

/** Takes from a config document what it says; empty lists, maps and strings say nothing. */
export function toImageConfig(document: ConfigDocument): ImageConfig {
  const said = document.config ?? {};
  const all: { [Key in keyof ImageConfig]: ImageConfig[Key] | undefined } = {
    env: list(envEntries(said.Env ?? [])),
    entrypoint: list(said.Entrypoint),
    cmd: list(said.Cmd),
    workingDir: text(said.WorkingDir),
    user: text(said.User),
    exposedPorts: list(Object.keys(said.ExposedPorts ?? {}).toSorted()),
    stopSignal: text(said.StopSignal),
    volumes: list(Object.keys(said.Volumes ?? {}).toSorted()),
    labels: record(Object.entries(said.Labels ?? {})),
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

function envEntries(env: readonly string[]): readonly string[] {
  const named = env.filter((entry) => entry.indexOf("=") > 0);
  return [...new Map(named.map((entry) => [entry.slice(0, entry.indexOf("=")), entry])).values()];
}

function list(values: readonly string[] | null | undefined): readonly string[] | undefined {
  return values === null || values === undefined || values.length === 0 ? undefined : values;
}

function text(value: string | null | undefined): string | undefined {
  return value === null || value === "" ? undefined : value;
}

function record(entries: readonly (readonly [string, string])[]) {
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}
