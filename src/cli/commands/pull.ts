import { BRING_OPTIONS, bringImages } from "../bring-images.ts";
import type { Command } from "../command.ts";

/** `stowage pull`. */
export const pullCommand: Command = {
  help: {
    name: "pull",
    summary:
      "Brings the images that the declaration names into the engines of its hosts. Pods are left as they are.",
    options: BRING_OPTIONS,
    details: [
      "An apply does the same before it stops anything: this is for doing it earlier. What is there already is not pulled again, and a pull that was cut short is gone on with.",
    ],
    examples: [
      { command: "pull", comment: "all hosts" },
      { command: "pull --host edge-a --pod web", comment: "what one pod of one host needs" },
    ],
  },
  changes: true,
  run: (args, context) => bringImages(args, context, "pull"),
};
