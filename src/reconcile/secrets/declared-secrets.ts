import { filesOf, isSecret, type PodSpec, type SecretSource } from "../../model/index.ts";

/** A secret of a pod. */
export interface DeclaredSecret {
  /** Attribute path in the pod. */
  readonly path: string;
  readonly source: SecretSource;
  /** Whether it is a variable, which holds text, or a file. */
  readonly use: "env" | "file";
}

/** The secrets of a pod, wherever they are used. */
export function secretsIn(spec: PodSpec): readonly DeclaredSecret[] {
  const inEnv = Object.entries(spec.containers).flatMap(([container, { env }]) =>
    Object.entries(env ?? {}).flatMap(([name, value]): DeclaredSecret[] =>
      isSecret(value) ? [{ path: envPath(container, name), source: value.secret, use: "env" }] : [],
    ),
  );
  const inFiles = filesOf(spec).flatMap(({ attribute, spec: { secret } }): DeclaredSecret[] =>
    secret === undefined ? [] : [{ path: attribute, source: secret, use: "file" }],
  );
  return [...inEnv, ...inFiles];
}

/** As attribute paths of the model are written. */
function envPath(container: string, name: string): string {
  const last = /^[A-Za-z0-9_-]+$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`;
  return `containers.${container}.env${last}`;
}
