import type { Host } from "../host/index.ts";
import { Batch } from "../internal/index.ts";
import { runScript } from "./run-script.ts";
import { ATTACH, DETACH, DROP } from "./scripts.ts";

/** The kernel makes and removes one interface after the other: one command at a time keeps it busy. */
const LIMITS = { lanes: 1, most: 8, letsGo: false };

/** A pod as a script gets it. */
interface Told {
  /** For messages. */
  readonly pod: string;
  readonly args: readonly string[];
}

type Link = (pod: string, ...args: readonly string[]) => Promise<void>;

/** What is done to the interfaces of pods, several in one command: its start costs as much as a pod does. */
export interface PodLinks {
  /** Arguments as {@link ATTACH} has them. */
  readonly attach: Link;
  readonly detach: Link;
  readonly drop: Link;
}

/** The scripts of pods' interfaces on a host. */
export function podLinks(host: Host): PodLinks {
  return {
    attach: together(host, ATTACH, (pods) => `attach ${pods} to its network`),
    detach: together(host, DETACH, (pods) => `detach ${pods} from its network`),
    drop: together(host, DROP, (pods) => `remove the network of ${pods}`),
  };
}

function together(host: Host, script: string, doing: (pods: string) => string): Link {
  const batch = new Batch<void, Told>(async (pods) => {
    const names = pods.map(({ pod }) => `pod "${pod}"`).join(", ");
    const args = pods.flatMap((each) => each.args);
    await runScript(host, script, args, { doing: doing(names) });
  }, LIMITS);
  return async (pod, ...args) => await batch.ask([{ pod, args }]);
}
