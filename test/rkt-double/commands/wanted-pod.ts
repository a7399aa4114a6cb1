import { failAs } from "../arguments.ts";
import { findPod, type Pod } from "../pods.ts";

/** The pod that a command is about; ends as rkt does when there is none. */
export function wantedPod(command: string, dataDir: string, prefix: string): Pod {
  const pod = findPod(dataDir, prefix);
  return "problem" in pod ? failAs(command, `problem retrieving pod: ${pod.problem}`) : pod;
}
