import type { Command } from "../command.ts";

/** A command as the program knows it before it is loaded. */
export interface CatalogEntry {
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<Command>;
}

/** Every command, in the order of the help; each is loaded when it is run. */
export const CATALOG: readonly CatalogEntry[] = [
  {
    name: "init",
    summary: "Make a new project in a directory",
    load: async () => (await import("./init.ts")).initCommand,
  },
  {
    name: "synth",
    summary: "Run the app and write the manifests",
    load: async () => (await import("./synth.ts")).synthCommand,
  },
  {
    name: "validate",
    summary: "Check the declaration without reaching a host",
    load: async () => (await import("./validate.ts")).validateCommand,
  },
  {
    name: "plan",
    summary: "Show what apply would do, and touch nothing",
    load: async () => (await import("./plan.ts")).planCommand,
  },
  {
    name: "apply",
    summary: "Make the hosts what the declaration says",
    load: async () => (await import("./apply.ts")).applyCommand,
  },
  {
    name: "restart",
    summary: "Begin the containers of pods anew, and change nothing",
    load: async () => (await import("./restart.ts")).restartCommand,
  },
  {
    name: "destroy",
    summary: "Remove all pods of a fleet from its hosts",
    load: async () => (await import("./destroy.ts")).destroyCommand,
  },
  {
    name: "uninstall",
    summary: "Take everything of Stowage's off a host",
    load: async () => (await import("./uninstall.ts")).uninstallCommand,
  },
  {
    name: "history",
    summary: "List what was applied to each pod, when, and by whom",
    load: async () => (await import("./history.ts")).historyCommand,
  },
  {
    name: "rollback",
    summary: "Take a pod back to what was applied to it before",
    load: async () => (await import("./rollback.ts")).rollbackCommand,
  },
  {
    name: "rollout",
    summary: "Show how far services are; pause, resume or take back a rollout",
    load: async () => (await import("./rollout.ts")).rolloutCommand,
  },
  {
    name: "ps",
    summary: "List the pods of a fleet as they are",
    load: async () => (await import("./ps.ts")).psCommand,
  },
  {
    name: "stats",
    summary: "Show what running containers use",
    load: async () => (await import("./stats.ts")).statsCommand,
  },
  {
    name: "logs",
    summary: "Show what pods wrote",
    load: async () => (await import("./logs.ts")).logsCommand,
  },
  {
    name: "exec",
    summary: "Run a command in a container",
    load: async () => (await import("./exec.ts")).execCommand,
  },
  {
    name: "run",
    summary: "Run a command once, in a container of its own made after a pod's",
    load: async () => (await import("./run.ts")).runCommand,
  },
  {
    name: "events",
    summary: "Show what happens to pods, as it happens",
    load: async () => (await import("./events.ts")).eventsCommand,
  },
  {
    name: "watch",
    summary: "Stay, start again what ends, and mend drift",
    load: async () => (await import("./watch.ts")).watchCommand,
  },
  {
    name: "boot",
    summary: "Bring a fleet's pods back on this machine after a boot",
    load: async () => (await import("./boot.ts")).bootCommand,
  },
  {
    name: "pull",
    summary: "Bring the images of the declaration to the hosts, and no more",
    load: async () => (await import("./pull.ts")).pullCommand,
  },
  {
    name: "push",
    summary: "Send the images of the declaration to the hosts from here, and no more",
    load: async () => (await import("./push.ts")).pushCommand,
  },
  {
    name: "images",
    summary: "List the images on the hosts; images lock pins their digests",
    load: async () => (await import("./images.ts")).imagesCommand,
  },
  {
    name: "prune",
    summary: "Take away images and old generations that nothing needs",
    load: async () => (await import("./prune.ts")).pruneCommand,
  },
  {
    name: "engines",
    summary: "List the engines, and what each can do",
    load: async () => (await import("./engines.ts")).enginesCommand,
  },
  {
    name: "unlock",
    summary: "Give up the locks of an apply that cannot go on",
    load: async () => (await import("./unlock.ts")).unlockCommand,
  },
  {
    name: "doctor",
    summary: "Say whether hosts are ready, and what to do if not",
    load: async () => (await import("./doctor.ts")).doctorCommand,
  },
  {
    name: "schema",
    summary: "Print the JSON Schema of the manifest",
    load: async () => (await import("./schema.ts")).schemaCommand,
  },
];
