import type { Command } from "../command-line/command.ts";
import { BRING_OPTIONS, bringImages } from "../images/bring-images.ts";

/** `stowage pull`. */
export const pullCommand: Command = {
  help: {
    name: "pull",
    summary: "Pulls the declared images into the engines of the hosts. Changes no pod.",
    options: BRING_OPTIONS,
    details: [
      "An apply does the same before it stops anything; this is for doing it earlier. Images that are there already are not pulled again, and an interrupted pull is resumed.",
    ],
    examples: [
      { command: "pull", comment: "all hosts" },
      { command: "pull --host edge-a --pod web", comment: "only what one pod on one host needs" },
    ],
  },
  changes: true,
  run: (args, context) => bringImages(args, context, "pull"),
};
