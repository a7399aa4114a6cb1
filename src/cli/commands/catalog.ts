import type { Command } from "../command-line/command.ts";

/** Headings under which the help lists commands. */
export const COMMAND_GROUPS = {
  declare: "Declare",
  change: "Plan and change",
  look: "Look at what runs",
  images: "Images",
  hosts: "Hosts and engines",
} as const;

/** A command as the program knows it before it is loaded. */
export interface CatalogEntry {
  readonly name: string;
  readonly group: keyof typeof COMMAND_GROUPS;
  readonly summary: string;
  readonly load: () => Promise<Command>;
}

/** Every command, in the order of the help; each is loaded when it is run. */
export const CATALOG: readonly CatalogEntry[] = [
  {
    name: "init",
    group: "declare",
    summary: "Create a new project in a directory",
    load: async () => (await import("./init.ts")).initCommand,
  },
  {
    name: "synth",
    group: "declare",
    summary: "Run the app and write its manifests",
    load: async () => (await import("./synth.ts")).synthCommand,
  },
  {
    name: "validate",
    group: "declare",
    summary: "Check the declaration without contacting a host",
    load: async () => (await import("./validate.ts")).validateCommand,
  },
  {
    name: "schema",
    group: "declare",
    summary: "Print the JSON Schema of the manifest",
    load: async () => (await import("./schema.ts")).schemaCommand,
  },
  {
    name: "plan",
    group: "change",
    summary: "Show what apply would do, without changing anything",
    load: async () => (await import("./plan.ts")).planCommand,
  },
  {
    name: "apply",
    group: "change",
    summary: "Change the hosts to match the declaration",
    load: async () => (await import("./apply.ts")).applyCommand,
  },
  {
    name: "restart",
    group: "change",
    summary: "Restart the containers of pods without changing them",
    load: async () => (await import("./restart.ts")).restartCommand,
  },
  {
    name: "rollback",
    group: "change",
    summary: "Return a pod to what was applied before",
    load: async () => (await import("./rollback.ts")).rollbackCommand,
  },
  {
    name: "rollout",
    group: "change",
    summary: "Show, pause, resume or undo the rollout of a service",
    load: async () => (await import("./rollout.ts")).rolloutCommand,
  },
  {
    name: "watch",
    group: "change",
    summary: "Keep running: restart what ends and repair drift",
    load: async () => (await import("./watch.ts")).watchCommand,
  },
  {
    name: "destroy",
    group: "change",
    summary: "Remove all pods of a fleet from its hosts",
    load: async () => (await import("./destroy.ts")).destroyCommand,
  },
  {
    name: "ps",
    group: "look",
    summary: "List the pods of a fleet and their state",
    load: async () => (await import("./ps.ts")).psCommand,
  },
  {
    name: "stats",
    group: "look",
    summary: "Show the CPU, memory and I/O use of containers",
    load: async () => (await import("./stats.ts")).statsCommand,
  },
  {
    name: "logs",
    group: "look",
    summary: "Show the output of containers",
    load: async () => (await import("./logs.ts")).logsCommand,
  },
  {
    name: "exec",
    group: "look",
    summary: "Run a command in a running container",
    load: async () => (await import("./exec.ts")).execCommand,
  },
  {
    name: "run",
    group: "look",
    summary: "Run a command once, in a new container like a pod's",
    load: async () => (await import("./run.ts")).runCommand,
  },
  {
    name: "events",
    group: "look",
    summary: "Show what happens to pods as it happens",
    load: async () => (await import("./events.ts")).eventsCommand,
  },
  {
    name: "history",
    group: "look",
    summary: "List what was applied to each pod, when and by whom",
    load: async () => (await import("./history.ts")).historyCommand,
  },
  {
    name: "pull",
    group: "images",
    summary: "Pull the declared images to the hosts ahead of an apply",
    load: async () => (await import("./pull.ts")).pullCommand,
  },
  {
    name: "push",
    group: "images",
    summary: "Send the declared images from this machine to the hosts",
    load: async () => (await import("./push.ts")).pushCommand,
  },
  {
    name: "images",
    group: "images",
    summary: "List the images on the hosts; images lock pins digests",
    load: async () => (await import("./images.ts")).imagesCommand,
  },
  {
    name: "prune",
    group: "images",
    summary: "Remove images and old generations that nothing needs",
    load: async () => (await import("./prune.ts")).pruneCommand,
  },
  {
    name: "doctor",
    group: "hosts",
    summary: "Check whether hosts are ready, and what to do if not",
    load: async () => (await import("./doctor.ts")).doctorCommand,
  },
  {
    name: "engines",
    group: "hosts",
    summary: "List the engines and what each can do",
    load: async () => (await import("./engines.ts")).enginesCommand,
  },
  {
    name: "unlock",
    group: "hosts",
    summary: "Break the locks of an apply that hangs",
    load: async () => (await import("./unlock.ts")).unlockCommand,
  },
  {
    name: "boot",
    group: "hosts",
    summary: "Start a fleet's pods on this machine after a reboot",
    load: async () => (await import("./boot.ts")).bootCommand,
  },
  {
    name: "uninstall",
    group: "hosts",
    summary: "Remove everything that Stowage made on a host",
    load: async () => (await import("./uninstall.ts")).uninstallCommand,
  },
];
