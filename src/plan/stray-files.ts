import { filesDirName } from "../model/index.ts";
import { podsOnHost } from "./observed-pods.ts";
import type { HostChange, Step } from "./plan.ts";
import type { HostObservation } from "./plan-input.ts";

/** Files of this host's generations that no engine of the host has: an apply was interrupted between the two, or somebody removed the pod. */
export function strayFiles(host: string, observation: HostObservation): readonly HostChange[] {
  const { directories = [], emptied = [] } = observation.files ?? {};
  if (directories.length === 0 && emptied.length === 0) return [];
  const known = new Set(podsOnHost(observation).map(({ pod }) => filesDirName(pod)));
  const own = directories.filter(({ name }) => name.endsWith(`.${host}`));
  const stray = own.filter(({ name }) => !known.has(name));
  const steps: Step[] = [
    ...stray.map(({ name, ...from }): Step => ({ kind: "remove-files", name, from })),
    ...emptied.map((from): Step => ({ kind: "remove-files", from })),
  ];
  if (steps.length === 0) return [];
  const what = stray.length === 0 ? "empty folders" : stray.map(({ name }) => name).join(", ");
  return [
    {
      id: `${host}/files`,
      host,
      action: "clean",
      text: `left over, and in use by no pod: files of pods, ${what}`,
      steps,
      after: [],
    },
  ];
}
