import { BRING_OPTIONS, bringImages } from "../bring-images.ts";
import type { Command } from "../command.ts";

/** `stowage push`. */
export const pushCommand: Command = {
  help: {
    name: "push",
    summary:
      "Sends the images that the declaration names from this machine to its hosts, whatever they declare of who gets them. Pods are left as they are.",
    options: BRING_OPTIONS,
    details: [
      "For hosts that reach no registry, and for those with pull: never. Layers that a host has are not sent; what was cut short is gone on with. A host's pullBytesPerSecond bounds it.",
    ],
    examples: [
      { command: "push", comment: "all hosts" },
      { command: "push --host edge-a --json", comment: "one host, with progress for a program" },
    ],
  },
  changes: true,
  run: (args, context) => bringImages(args, context, "push"),
};
