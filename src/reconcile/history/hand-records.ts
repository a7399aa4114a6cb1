import { handedHistory } from "../../model/index.ts";
import type { HostSession } from "../execute/host-session.ts";
import { readHistory, writeHistory } from "./pod-histories.ts";

/**
 * Gives what was applied to a pod on one host to another, as what was applied to it before. What is there of a pod's
 * own stays; what was given before is given again. Where nothing can be read nothing is given.
 */
export async function handRecords(from: HostSession, to: HostSession, pod: string): Promise<void> {
  const { owner, fleet } = from.context;
  const reading = from.observation.records.get(`${owner}/${fleet}/${pod}`);
  const old = await readHistory(from.host, from.layout, pod, { signal: from.signal });
  const record = reading?.kind === "record" ? reading.record : undefined;
  const given = handedHistory(pod, old, record, from.name);
  if (given === undefined) return;
  const options = { signal: to.signal };
  const own = await readHistory(to.host, to.layout, pod, options);
  if (own?.records.some(({ host }) => host === undefined) === true) return;
  await to.lock.check();
  await writeHistory(to.host, to.layout, given, options);
}
