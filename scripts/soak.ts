import { parseArgs } from "node:util";
import { ensureBuild } from "./lib/ensure-build.ts";
import { PROJECT_ROOT } from "./lib/project-root.ts";
import { runMain } from "./lib/run-main.ts";
import { runInMachine } from "./lib/soak/machine.ts";
import { runSoak } from "./lib/soak/run-soak.ts";

const USAGE = `Usage: npm run soak [-- [--engine NAME]... [--minutes N] [--pods N]]

Changes pods of a fleet, kills their processes, and kills applies and commands, over and over, in a machine of
its own; at the end it says whether memory, mounts, namespaces, rules, files, descriptors and cgroups
of the engine and of Stowage are what they were after a warm-up. Exit code 1 where they are not.

  --engine NAME  containerd, podman or rkt; may be given several times; else one after the other
  --minutes N    how long each engine is soaked; else 60
  --pods N       how many pods; else 50
`;
const ENGINES = ["containerd", "podman", "rkt"] as const;

await runMain(() => main(process.argv.slice(2)));

async function main(argv: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      engine: { type: "string", multiple: true },
      minutes: { type: "string", default: "60" },
      pods: { type: "string", default: "50" },
      inside: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  const [minutes, pods] = [Number(values.minutes), Number(values.pods)];
  const engines = ENGINES.filter((each) => values.engine?.includes(each) ?? true);
  const unknown = values.engine?.filter((each) => !ENGINES.some((known) => known === each)) ?? [];
  const isWrong = unknown.length > 0 || !(minutes > 0) || !(Number.isInteger(pods) && pods > 0);
  if (values.help || isWrong) {
    console.log(USAGE);
    return isWrong ? 1 : 0;
  }
  if (!values.inside) {
    await ensureBuild(PROJECT_ROOT, () => console.log("Building"));
    let worst = 0;
    for (const engine of engines) {
      const words = ["--engine", engine, "--minutes", `${minutes}`, "--pods", `${pods}`];
      worst = Math.max(worst, await runInMachine(import.meta.filename, words));
    }
    return worst;
  }
  let worst = 0;
  for (const engine of engines) {
    console.log(`Soaking ${engine}: ${pods} pods for ${minutes} minutes`);
    const { flat, lines } = await runSoak({ engine, minutes, pods });
    console.log(`${lines.join("\n")}\n${engine} is ${flat ? "flat" : "not flat"}`);
    if (!flat) worst = 1;
  }
  return worst;
}
