import { createHmac, randomBytes } from "node:crypto";
import { type Diagnostic, DiagnosticsError } from "../../errors/index.ts";
import { isSecret, type PodRecord, type PodSpec } from "../../model/index.ts";
import type { PodChange, SecretComparison } from "../../plan/index.ts";

/** Values of environment variables of the applying machine. */
export type Environment = Readonly<Record<string, string | undefined>>;

interface DeclaredSecret {
  /** Attribute path in the pod. */
  readonly path: string;
  readonly variable: string;
}

/** How a pod's secrets compare with what was last applied; those that no record knows are left out. */
export function compareSecrets(
  spec: PodSpec,
  record: PodRecord | undefined,
  environment: Environment,
): ReadonlyMap<string, SecretComparison> {
  const comparisons = new Map<string, SecretComparison>();
  const applied = appliedGeneration(record)?.secrets;
  for (const { path, variable } of secretsIn(spec)) {
    const value = environment[variable];
    const before = applied?.[path];
    if (before === undefined || record?.salt === undefined) continue;
    const state =
      value === undefined
        ? "not-compared"
        : hmacOf(record.salt, value) === before
          ? "unchanged"
          : "changed";
    comparisons.set(path, { state, variable });
  }
  return comparisons;
}

/** A random key for a record's HMACs. */
export function makeSalt(): string {
  return randomBytes(32).toString("base64");
}

/** HMACs of a pod's secrets by attribute path; undefined when it has none. */
export function hashSecrets(
  spec: PodSpec,
  salt: string,
  environment: Environment,
): Readonly<Record<string, string>> | undefined {
  const hashes = secretsIn(spec).flatMap(({ path, variable }) => {
    const value = environment[variable];
    return value === undefined ? [] : [[path, hmacOf(salt, value)] as const];
  });
  return hashes.length === 0 ? undefined : Object.fromEntries(hashes);
}

/** Environment of each container with secrets in clear; undefined when one is not at hand. */
export function clearEnvironment(
  spec: PodSpec,
  environment: Environment,
): Readonly<Record<string, Readonly<Record<string, string>>>> | undefined {
  const containers: Record<string, Record<string, string>> = {};
  for (const [container, { env }] of Object.entries(spec.containers)) {
    const clear: Record<string, string> = {};
    for (const [name, value] of Object.entries(env ?? {})) {
      const text = isSecret(value) ? environment[value.secret.fromEnv] : value;
      if (text === undefined) return undefined;
      clear[name] = text;
    }
    containers[container] = clear;
  }
  return containers;
}

/**
 * Refuses changes that make or alter a pod whose secrets are not all at hand.
 *
 * @throws DiagnosticsError naming each variable and where it is used
 */
export function requireSecrets(changes: readonly PodChange[], environment: Environment): void {
  const missing = changes.flatMap(({ host, pod, steps, to }): Diagnostic[] => {
    if (to === undefined || !steps.some(({ kind }) => kind === "prepare")) return [];
    return secretsIn(to.spec)
      .filter(({ variable }) => environment[variable] === undefined)
      .map(({ path, variable }) => ({
        severity: "error",
        path: `hosts.${host}.pods.${pod}.${path}`,
        summary: `environment variable ${variable} is not set`,
        detail: "set it to the secret's value and apply again",
      }));
  });
  if (missing.length > 0) throw new DiagnosticsError("The environment of this apply", missing);
}

/** Replaces the values of these pods' secrets in a text. */
export function redactor(
  specs: readonly PodSpec[],
  environment: Environment,
): (text: string) => string {
  const values = specs
    .flatMap(secretsIn)
    .map(({ variable }) => environment[variable] ?? "")
    .filter((value) => value !== "")
    .sort((a, b) => b.length - a.length);
  return (text) => values.reduce((clean, value) => clean.replaceAll(value, "(secret)"), text);
}

function secretsIn(spec: PodSpec): readonly DeclaredSecret[] {
  return Object.entries(spec.containers).flatMap(([container, { env }]) =>
    Object.entries(env ?? {}).flatMap(([name, value]) =>
      isSecret(value) ? [{ path: envPath(container, name), variable: value.secret.fromEnv }] : [],
    ),
  );
}

/** As attribute paths of the model are written. */
function envPath(container: string, name: string): string {
  const last = /^[A-Za-z0-9_-]+$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`;
  return `containers.${container}.env${last}`;
}

function appliedGeneration(record: PodRecord | undefined) {
  const { generations = [], current } = record ?? {};
  return generations.find(({ generation }) => generation === current) ?? generations.at(-1);
}

function hmacOf(salt: string, value: string): string {
  return createHmac("sha256", Buffer.from(salt, "base64")).update(value).digest("base64");
}
