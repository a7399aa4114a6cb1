import { pauseWords, type ServicePod, type ServicePodState } from "../../plan/index.ts";
import { shortDigests } from "../text/format-value.ts";
import { columns } from "../text/layout.ts";
import type { Paint } from "../text/paint.ts";
import { printable } from "../text/printable.ts";
import { plural } from "../text/quantities.ts";
import { renderRollouts } from "./render-rollouts.ts";
import type { SeenServices } from "./services.ts";

const WORDS: Readonly<Record<ServicePodState, string>> = {
  declared: "as declared",
  old: "old",
  "half-done": "half done",
  drifted: "drifted",
  down: "down",
  absent: "not there",
  unreachable: "unreachable",
};

/** Services for people: the waves that are left, and what each pod is. Ends with a line end. */
export function renderServices(
  services: readonly string[],
  { plan, pods, pauses }: SeenServices,
  words: { readonly paint: Paint; readonly columns: number | undefined },
): string {
  const { paint } = words;
  return services
    .map((service) => {
      const own = pods.filter((each) => each.service === service);
      const rollouts = plan.rollouts?.filter((each) => each.service === service) ?? [];
      const pause = pauses.get(service);
      const paused = pause === undefined ? "" : `; ${printable(pauseWords(pause))}`;
      const head = `${paint.bold(`service ${service}`)}  ${countWords(own)}${paused}`;
      const waves = rollouts.length === 0 ? [] : [renderRollouts(rollouts, words)];
      return `${[head, ...columns(own.map(podCells)), ...waves].join("\n")}\n`;
    })
    .join("\n");
}

function countWords(pods: readonly ServicePod[]): string {
  const done = pods.filter(({ state }) => state === "declared").length;
  return `${plural(pods.length, "pod")}, ${done} as declared`;
}

function podCells({ id, state, applied, reason }: ServicePod): readonly string[] {
  const images = Object.entries(applied?.images ?? {}).map(([container, image]) => {
    const name = Object.keys(applied?.images ?? {}).length === 1 ? "" : `${container} `;
    return printable(`${name}${image.reference} ${shortDigests(image.digest)}`);
  });
  const by =
    applied === undefined
      ? ""
      : printable(`applied ${applied.at.replace(/\.\d+Z$/, "Z")} by ${applied.by}`);
  return [
    `  ${id}`,
    WORDS[state],
    reason === undefined ? images.join(", ") : printable(reason),
    by,
  ];
}
