import {
  ContainerSpec,
  ENGINE_KINDS,
  FleetManifest,
  HostSpec,
  PodSpec,
} from "../../../src/model/index.ts";
import type { EngineColumn } from "./engine-support.ts";
import { enginesPage } from "./engines-page.ts";
import { GENERATED, type Page, renderPage } from "./render-page.ts";

const IN_CODE = `In TypeScript the same fields are properties of the constructs, with the same names where none is below:

| manifest | TypeScript |
| --- | --- |
| \`…Bytes\` | \`Size\`, without the ending: \`resources.memoryBytes\` is \`resources: { memory: Size.mebibytes(256) }\` |
| \`…Ms\` | \`Duration\`, without the ending: \`stopGracePeriodMs\` is \`stopGracePeriod: Duration.seconds(10)\` |
| \`cpuMillis\` | \`cpu: Cpu.cores(1.5)\` |
| \`maxBytes\` of \`logging\` | \`maxSize\` |
| \`health\` | \`Probe.http(…)\`, \`Probe.tcp(…)\`, \`Probe.exec(…)\` |
| \`network\` | \`Network.host()\`, \`Network.none()\` |
| \`restart\` | \`RestartPolicy.always()\`, \`.unlessStopped()\`, \`.onFailure(3)\`, \`.never()\` |
| \`volumes\` | \`new Volume(…)\`, \`Volume.bind(…)\`, \`Volume.tmpfs(…)\` |
| \`engine\` | ${ENGINE_KINDS.map((kind) => `\`Engine.${kind}(…)\``).join(", ")} |
| \`files.*.content\`, \`.base64\` | a text, or \`content\` (text or bytes) or \`file\` (read at synth) of \`{ … }\` |
| \`secret\` | \`Secret.fromEnv("NAME")\`, \`Secret.fromFile("path")\`, \`Secret.fromCommand(["program", "argument"])\` |`;

/** Every page of the reference by its file name, in the order of its table of contents. */
export function referencePages(engines: readonly EngineColumn[]): ReadonlyMap<string, string> {
  const pages = pagesOf(engines);
  return new Map([
    ["README.md", renderContents(pages, engines)],
    ...pages.map((page) => [page.file, renderPage(page)] as const),
    ["engines.md", enginesPage(engines)],
  ]);
}

function pagesOf(columns: readonly EngineColumn[]): readonly Page[] {
  return [
    {
      file: "fleet.md",
      title: "Fleet",
      intro: "The manifest itself: `fleet.json`. Paths begin at its top level.",
      schema: FleetManifest,
      elsewhere: { "hosts.*": "host.md", hosts: "host.md" },
    },
    {
      file: "host.md",
      title: "Host",
      intro:
        "One entry of `hosts`. Paths begin there: `address` is `hosts.<host>.address` in the manifest.",
      schema: HostSpec,
      elsewhere: { pods: "pod.md" },
    },
    {
      file: "pod.md",
      title: "Pod",
      intro:
        "One entry of a host's `pods`. Paths begin there: `hostname` is `hosts.<host>.pods.<pod>.hostname` in the manifest, and `hostname` in a plan.",
      schema: PodSpec,
      change: "replace",
      elsewhere: { containers: "container.md" },
      engines: { prefix: "", columns },
    },
    {
      file: "container.md",
      title: "Container",
      intro:
        "One entry of a pod's `containers`. Paths begin there: `image` is `containers.<container>.image` in a plan.",
      schema: ContainerSpec,
      change: "replace",
      engines: { prefix: "containers.*.", columns },
    },
  ];
}

function renderContents(pages: readonly Page[], engines: readonly EngineColumn[]): string {
  return `${[
    GENERATED,
    "# Field reference",
    "Every field that can be declared, from the schemas that validate it. `stowage schema` prints the same as JSON Schema, for editors.",
    [
      ...pages.map(({ file, title, intro }) => `- [${title}](${file}): ${intro}`),
      "- [Engines](engines.md): what each engine can do, how it is known, and what to do instead.",
    ].join("\n"),
    "## How to read it",
    [
      "- **Field**: `*` stands for any name of a map, `[*]` for any item of a list.",
      "- **Default**: what applies while the field is not set. A default is never stored. Empty: nothing is set, or the image or the engine decides.",
      "- **Change**: how a change of the field is applied. `live`: the process keeps running. `restart`: its processes are restarted, the writable layer is kept. `replace`: a new generation is created, the writable layer is lost.",
      "- **Secret**: whether a value may be a secret, which is written nowhere in clear.",
      `- **${engines.map(({ name }) => name).join("**, **")}**: \`native\`: the engine does it. \`emulated\`: Stowage does it. \`unsupported\`: a plan that needs it is refused. \`some values\`, and what else there is to say: below the table.`,
      "- A list **in any order**, and a **set**, may be reordered without a change.",
    ].join("\n"),
    "## In TypeScript",
    IN_CODE,
  ].join("\n\n")}\n`;
}
