import type { Command } from "../command-line/command.ts";
import { BRING_OPTIONS, bringImages } from "../images/bring-images.ts";

/** `stowage push`. */
export const pushCommand: Command = {
  help: {
    name: "push",
    summary:
      "Sends the declared images from this machine to the hosts, whatever their pull setting says. Changes no pod.",
    options: BRING_OPTIONS,
    details: [
      "For hosts that reach no registry, and for those with pull: never. Layers that a host has already are not sent, and an interrupted transfer is resumed. A host's pullBytesPerSecond limits the rate.",
    ],
    examples: [
      { command: "push", comment: "all hosts" },
      { command: "push --host edge-a --json", comment: "one host, with progress for scripts" },
    ],
  },
  changes: true,
  run: (args, context) => bringImages(args, context, "push"),
};
