const APPLY = "stowage apply changes the hosts to match the declaration";
const DESTROY = "stowage destroy removes the fleet's pods";
const PLAN = "stowage plan shows what differs, including drift";
const SHOW = "stowage ps --json says what runs, and stowage synth writes what is declared";
const ANEW =
  "a running pod is replaced when its declaration changes, such as a variable of its env; stowage restart restarts its processes, and stowage apply starts what has ended";

/** Commands of other tools, and what does the same here, or that nothing does. */
const WORDS: ReadonlyMap<string, string> = new Map([
  ...["up", "deploy", "create", "converge", "redeploy"].map((word) => [word, APPLY] as const),
  ...["down", "rm", "remove", "delete"].map((word) => [word, DESTROY] as const),
  ...["diff", "preview", "refresh", "drift"].map((word) => [word, PLAN] as const),
  ...["show", "state", "output", "outputs", "details"].map((word) => [word, SHOW] as const),
  ...["start", "taint", "replace"].map((word) => [word, ANEW] as const),
  ["stop", "take the pod out of the declaration, and apply; its named volumes stay"],
  ["scale", "declare replicas of the service, and apply"],
  ["import", "what Stowage did not make is not taken over: declare it, and plan"],
  ["build", "Stowage builds no images: name one of a registry, a layout or an archive"],
  ["config", "stowage validate checks the declaration, and stowage synth writes it"],
  ["top", "stowage stats shows what containers use"],
  ["audit", "stowage history --audit shows who did what"],
  ["workspace", "an app may declare several fleets, of which --fleet names one"],
]);

/** What somebody looks for who knows another tool's word for it. */
export function foreignWord(command: string): string | undefined {
  return WORDS.get(command);
}
