import type { Json } from "../../model/index.ts";
import { printable } from "./printable.ts";
import { formatBytes, formatDuration } from "./quantities.ts";

const SHOWN_MAX = 160;
const DIGEST = /sha256:([a-f0-9]{64})/g;

/** A field's value for people, in its unit; an absent one is `(not set)`. */
export function formatValue(path: string, value: Json | undefined): string {
  if (value === undefined) return "(not set)";
  if (typeof value === "number") return formatNumber(path, value);
  if (typeof value === "string") return shortened(quoted(shortDigests(value)));
  return shortened(printable(JSON.stringify(value)));
}

/** Text with each digest cut to its first four hexadecimal digits. */
export function shortDigests(text: string): string {
  return text.replaceAll(DIGEST, (_, hex: string) => `sha256:${hex.slice(0, 4)}…`);
}

function formatNumber(path: string, value: number): string {
  if (path.endsWith("Bytes")) return formatBytes(value);
  if (path.endsWith("Ms")) return formatDuration(value);
  if (path.endsWith("cpuMillis")) return `${value / 1000} CPU${value === 1000 ? "" : "s"}`;
  return String(value);
}

function quoted(text: string): string {
  const plain = /^[^\s"'\u2192]+$/.test(text) || /^(?:\S+|\d+ bytes?) \(sha256:\S+\)$/.test(text);
  return plain ? printable(text) : printable(JSON.stringify(text));
}

function shortened(text: string): string {
  if (text.length <= SHOWN_MAX) return text;
  return `${text.slice(0, SHOWN_MAX)}… (${text.length} characters)`;
}
