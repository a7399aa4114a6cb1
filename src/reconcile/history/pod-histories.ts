import type { Host, HostCallOptions, HostReader, HostSnapshot } from "../../host/index.ts";
import {
  canonicalText,
  emptyHistory,
  type HostLayout,
  type Json,
  type PodHistory,
  type PodRecord,
  parseHistory,
  withPast,
} from "../../model/index.ts";

/** Notes in a pod's history what was current until now. One of a newer form is left as it is. */
export async function noteHistory(
  host: Host,
  layout: HostLayout,
  record: PodRecord,
  options: HostCallOptions,
): Promise<void> {
  const { pod } = record;
  const path = layout.historyFile(pod);
  const { files } = await host.snapshot({ files: [path] }, options);
  const text = files.get(path);
  const reading = typeof text === "string" ? parseHistory(text) : undefined;
  if (reading?.kind === "newer") return;
  const history = reading?.kind === "read" ? reading.value : emptyHistory(pod);
  const noted = withPast(history, record);
  if (noted !== history) await writeHistory(host, layout, noted, options);
}

/** Leaves only so many of a pod's old records, the newest ones. */
export async function trimHistory(
  host: Host,
  layout: HostLayout,
  pod: string,
  keep: number,
  options: HostCallOptions,
): Promise<void> {
  const history = await readHistory(host, layout, pod, options);
  if (history === undefined || history.records.length <= keep) return;
  const records = keep === 0 ? [] : history.records.slice(-keep);
  await writeHistory(host, layout, { ...history, records }, options);
}

/** The history of one pod; undefined if there is none that can be read. */
export async function readHistory(
  host: HostReader,
  layout: HostLayout,
  pod: string,
  options: HostCallOptions,
): Promise<PodHistory | undefined> {
  const snapshot = await host.snapshot({ files: [layout.historyFile(pod)] }, options);
  return historiesIn(snapshot, layout).get(pod);
}

/** The histories of a fleet's pods on a host, by pod; those that cannot be read are left out. */
export async function readHistories(
  host: HostReader,
  layout: HostLayout,
  options: HostCallOptions,
): Promise<ReadonlyMap<string, PodHistory>> {
  return historiesIn(await host.snapshot({ files: [layout.historyFile("*")] }, options), layout);
}

/** Those in a snapshot. */
export function historiesIn(
  { files }: Pick<HostSnapshot, "files">,
  layout: HostLayout,
): ReadonlyMap<string, PodHistory> {
  const found = new Map<string, PodHistory>();
  for (const [path, text] of files) {
    const reading = typeof text === "string" ? parseHistory(text) : undefined;
    if (reading?.kind !== "read" || path !== layout.historyFile(reading.value.pod)) continue;
    found.set(reading.value.pod, reading.value);
  }
  return found;
}

/** Writes the history of a pod. */
export async function writeHistory(
  host: Host,
  layout: HostLayout,
  history: PodHistory,
  options: HostCallOptions,
): Promise<void> {
  const text = canonicalText(history as Json);
  await host.writeFile(layout.historyFile(history.pod), text, options);
}
