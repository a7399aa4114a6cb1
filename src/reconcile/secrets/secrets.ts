import { isUtf8 } from "node:buffer";
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { type Diagnostic, DiagnosticsError } from "../../errors/index.ts";
import {
  ARGUMENT_BYTES_MAX,
  isSecret,
  type PodRecord,
  type PodSpec,
  type RecordedGeneration,
  type SecretSource,
} from "../../model/index.ts";
import type { PodChange, SecretComparison } from "../../plan/index.ts";
import { type DeclaredSecret, secretsIn } from "./declared-secrets.ts";
import { type SecretValues, sourceWords } from "./secret-values.ts";

/** A line shorter than this may be a word like any other. */
const LINE_MIN = 8;

/** How a pod's secrets compare with what was last applied; those that no record knows are left out. */
export function compareSecrets(
  spec: PodSpec,
  record: PodRecord | undefined,
  values: SecretValues,
): ReadonlyMap<string, SecretComparison> {
  const comparisons = new Map<string, SecretComparison>();
  const applied = appliedGeneration(record)?.secrets;
  for (const secret of secretsIn(spec)) {
    const { path, source } = secret;
    const value = usedValue(secret, values);
    const before = applied?.[path];
    if (before === undefined || record?.salt === undefined) continue;
    comparisons.set(
      path,
      value === undefined
        ? { state: "not-compared", why: values.problemOf(source) }
        : { state: hmacOf(record.salt, value) === before ? "unchanged" : "changed" },
    );
  }
  return comparisons;
}

/** Whether a record knows any of a pod's secrets, so that their values are worth asking for. */
export function knowsSecrets(record: PodRecord | undefined): boolean {
  return record?.salt !== undefined && appliedGeneration(record)?.secrets !== undefined;
}

/** A random key for a record's HMACs. */
export function makeSalt(): string {
  return randomBytes(32).toString("base64");
}

/** HMACs of a pod's secrets by attribute path; undefined when it has none. */
export function hashSecrets(
  spec: PodSpec,
  salt: string,
  values: SecretValues,
): Readonly<Record<string, string>> | undefined {
  const hashes = secretsIn(spec).flatMap((secret) => {
    const value = usedValue(secret, values);
    return value === undefined ? [] : [[secret.path, hmacOf(salt, value)] as const];
  });
  return hashes.length === 0 ? undefined : Object.fromEntries(hashes);
}

/** Whether bytes are the secret that was applied; undefined when no record can tell. */
export function isAppliedSecret(
  bytes: Uint8Array,
  path: string,
  { secrets }: Pick<RecordedGeneration, "secrets">,
  salt: string | undefined,
): boolean | undefined {
  const applied = secrets?.[path];
  if (applied === undefined || salt === undefined) return undefined;
  const [one, other] = [hmacOf(salt, bytes), applied].map((text) => Buffer.from(text, "base64"));
  return one?.length === other?.length && timingSafeEqual(one as Buffer, other as Buffer);
}

/** Environment of each container with secrets in clear; undefined when one is not available. */
export function clearEnvironment(
  spec: PodSpec,
  values: SecretValues,
): Readonly<Record<string, Readonly<Record<string, string>>>> | undefined {
  const containers: Record<string, Record<string, string>> = {};
  for (const [container, { env }] of Object.entries(spec.containers)) {
    const clear: Record<string, string> = {};
    for (const [name, value] of Object.entries(env ?? {})) {
      const text = isSecret(value) ? variableText(value.secret, values) : value;
      if (text === undefined) return undefined;
      clear[name] = text;
    }
    containers[container] = clear;
  }
  return containers;
}

/**
 * Refuses changes that make or alter a pod whose secrets are not all available.
 *
 * @throws DiagnosticsError naming each source and where it is used
 */
export async function requireSecrets(
  changes: readonly PodChange[],
  values: SecretValues,
): Promise<void> {
  await values.load(changes.flatMap(({ to }) => (to === undefined ? [] : [to.spec])));
  const missing = changes.flatMap(({ host, pod, steps, to }): Diagnostic[] => {
    const needs = steps.some(({ kind }) => kind === "prepare" || kind === "write-files");
    if (to === undefined || !needs) return [];
    return secretsIn(to.spec).flatMap((secret): Diagnostic[] => {
      const problem = problemWith(secret, values);
      const path = `hosts.${host}.pods.${pod}.${secret.path}`;
      return problem === undefined ? [] : [{ severity: "error", path, ...problem }];
    });
  });
  if (missing.length > 0) throw new DiagnosticsError("A secret of this apply", missing);
}

/** Replaces the values of these pods' secrets in a text. */
export function redactor(
  specs: readonly PodSpec[],
  values: SecretValues,
): (text: string) => string {
  const found = specs.flatMap(secretsIn).flatMap(({ source }) => {
    const text = values.valueOf(source)?.toString() ?? "";
    const trimmed = withoutLastLineEnd(text);
    // logs come line by line
    return [text, trimmed, ...trimmed.split("\n").filter((line) => line.length >= LINE_MIN)];
  });
  const texts = [...new Set(found)]
    .filter((value) => value !== "")
    .sort((a, b) => b.length - a.length);
  return (text) => texts.reduce((clean, value) => clean.replaceAll(value, "(secret)"), text);
}

function problemWith(
  { source, use }: DeclaredSecret,
  values: SecretValues,
): Pick<Diagnostic, "summary" | "detail"> | undefined {
  const value = values.valueOf(source);
  if (value === undefined) {
    return source.fromEnv === undefined
      ? { summary: values.problemOf(source), detail: "fix that and apply again" }
      : {
          summary: `environment variable ${source.fromEnv} is not set`,
          detail: "set it to the secret's value and apply again",
        };
  }
  const what = use === "file" ? undefined : notOfVariable(value);
  return what === undefined
    ? undefined
    : {
        summary: `${sourceWords(source)} holds ${what}`,
        detail: "let the container read it from a file",
      };
}

function notOfVariable(value: Buffer): string | undefined {
  if (value.includes(0)) return "a NUL character, which no variable can";
  if (!isUtf8(value)) return "bytes that are no UTF-8 text, which no variable can";
  return value.length < ARGUMENT_BYTES_MAX ? undefined : "more than a variable can";
}

/** The value as its use has it: a variable is text. */
function usedValue(
  { source, use }: DeclaredSecret,
  values: SecretValues,
): string | Buffer | undefined {
  return use === "env" ? variableText(source, values) : values.valueOf(source);
}

/** As a shell does, the last line end of what a file or a program gives is left out of a variable. */
function variableText(source: SecretSource, values: SecretValues): string | undefined {
  const text = values.valueOf(source)?.toString();
  return source.fromEnv === undefined && text !== undefined ? withoutLastLineEnd(text) : text;
}

function withoutLastLineEnd(text: string): string {
  return text.replace(/\r?\n$/, "");
}

function appliedGeneration(record: PodRecord | undefined) {
  const { generations = [], current } = record ?? {};
  return generations.find(({ generation }) => generation === current) ?? generations.at(-1);
}

function hmacOf(salt: string, value: string | Uint8Array): string {
  return createHmac("sha256", Buffer.from(salt, "base64")).update(value).digest("base64");
}
