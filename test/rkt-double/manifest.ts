/** A pod manifest as far as the double reads it. */
export interface PodManifest {
  readonly apps: readonly RuntimeApp[];
  readonly volumes?: readonly Volume[] | null;
  readonly ports?: readonly { readonly name: string; readonly hostPort: number }[] | null;
  readonly annotations?: readonly NameValue[] | null;
  readonly userAnnotations?: Readonly<Record<string, string>>;
  readonly userLabels?: Readonly<Record<string, string>>;
}

export interface NameValue<T = string> {
  readonly name: string;
  readonly value: T;
}

export interface RuntimeApp {
  readonly name: string;
  readonly image: { readonly id: string; readonly name?: string };
  readonly app?: App;
  readonly readOnlyRootFS?: boolean;
  readonly mounts?: readonly { readonly volume: string; readonly path: string }[];
  readonly annotations?: readonly NameValue[];
}

export interface App {
  readonly exec: readonly string[];
  readonly user: string;
  readonly group: string;
  readonly supplementaryGIDs?: readonly number[];
  readonly workingDirectory?: string;
  readonly environment?: readonly NameValue[];
  readonly mountPoints?: readonly {
    readonly name: string;
    readonly path: string;
    readonly readOnly?: boolean;
  }[];
  readonly ports?: readonly { readonly name: string }[];
  readonly isolators?: readonly NameValue<unknown>[];
  readonly userAnnotations?: Readonly<Record<string, string>>;
  readonly userLabels?: Readonly<Record<string, string>>;
}

export interface Volume {
  readonly name: string;
  readonly kind: string;
  readonly source?: string;
  readonly readOnly?: boolean;
  readonly mode?: string;
  readonly uid?: number;
  readonly gid?: number;
}

const RESOURCE = /^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$/;
const ISOLATORS = /^(resource\/(memory|cpu)|os\/(linux|unix)\/[a-z-]+)$/;

/** What rkt finds wrong in a manifest when it prepares a pod; undefined when it takes it. */
export function manifestProblem(manifest: PodManifest): string | undefined {
  const names = manifest.apps.map(({ name }) => name);
  const ofPod = annotationProblem(manifest.annotations ?? []);
  if (ofPod !== undefined) return ofPod;
  for (const app of manifest.apps) {
    const problem =
      nameProblem(app.name) ?? annotationProblem(app.annotations) ?? isolatorProblem(app.app);
    if (problem !== undefined) return problem;
  }
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  return twice === undefined ? undefined : `duplicate apps of name "${twice}"`;
}

function nameProblem(name: string): string | undefined {
  if (/^[a-z0-9-]+$/.test(name)) return undefined;
  return 'ACName must contain only lower case alphanumeric characters plus "-"';
}

/** What is wrong in the names of annotations. */
export function annotationProblem(
  annotations: readonly NameValue[] | undefined,
): string | undefined {
  if ((annotations ?? []).every(({ name }) => /^[a-z0-9._~/-]+$/.test(name))) return undefined;
  return 'ACIdentifier must contain only lower case alphanumeric characters plus "-._~/"';
}

function isolatorProblem(app: App | undefined): string | undefined {
  for (const { name, value } of app?.isolators ?? []) {
    if (!ISOLATORS.test(name)) return "invalid isolator";
    if (!name.startsWith("resource/")) continue;
    const { request, limit } = value as { readonly request?: string; readonly limit?: string };
    if ([request, limit].some((quantity) => quantity !== undefined && !RESOURCE.test(quantity))) {
      return `quantities must match the regular expression '${RESOURCE.source}'`;
    }
  }
  return undefined;
}

type Fields = Readonly<Record<string, unknown>>;
/** Keys in the order in which rkt writes them; those that it writes even where they are absent end with `!`. */
const KEYS = {
  pod: "acVersion! acKind! apps! volumes! isolators! annotations! ports! userAnnotations userLabels",
  image: "name id labels",
  runtimeApp: "name! image! app readOnlyRootFS mounts annotations",
  app: "exec! user! group! supplementaryGIDs workingDirectory environment mountPoints ports isolators userAnnotations userLabels",
};

/** A manifest as rkt prints it: its own order of keys, `null` for what must be there and is not. */
export function canonicalManifest(manifest: Fields): Fields {
  const pod = ordered(manifest, KEYS.pod);
  const apps = Array.isArray(manifest["apps"]) ? (manifest["apps"] as Fields[]) : [];
  return {
    ...pod,
    apps: apps.map((one) => {
      const app = one["app"] as Fields | undefined;
      const image = ordered(one["image"] as Fields, KEYS.image);
      const whole = ordered({ ...one, image }, KEYS.runtimeApp);
      return app === undefined ? whole : { ...whole, app: ordered(app, KEYS.app) };
    }),
  };
}

function ordered(fields: Fields, keys: string): Fields {
  return Object.fromEntries(
    keys.split(" ").flatMap((key) => {
      const name = key.replace("!", "");
      if (fields[name] !== undefined) return [[name, fields[name]]];
      return key.endsWith("!") ? [[name, null]] : [];
    }),
  );
}
