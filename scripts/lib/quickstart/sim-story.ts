import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { SimMachine } from "../../../src/engines/sim/index.ts";
import { StowageError } from "../../../src/errors/index.ts";
import { type FleetManifest, parseFleet } from "../../../src/model/index.ts";
import { EXAMPLE, EXAMPLE_FILES } from "./quickstart-folder.ts";
import type { Stage } from "./stage.ts";

const SIM_DIR = join(EXAMPLE_FILES, "sim");
const MANIFEST = ".stowage/sim/fleet.json";
const MACHINE = join(SIM_DIR, "machine.json");

/** The same story on a simulated host, where nothing can be installed. Runs no process and opens no port. */
export async function tellSimStory(stage: Stage): Promise<void> {
  stage.say("examples/hello-fleet/main.ts declares a fleet; this writes it as data.");
  await stage.stowage(["synth"]);
  writeSimManifest();
  stage.say(`The engine is a setting: in ${MANIFEST} it is "sim", a host in a file.`);
  const words = (verb: string, ...rest: string[]) => [verb, "-f", MANIFEST, ...rest];
  if ((await stage.stowage(words("plan"), [0, 2])) === 0) {
    await stage.stowage(words("ps"));
    console.log("\nAll is converged, on the simulated host.");
    return;
  }
  await stage.stowage(words("apply", "--yes"));
  stage.say("Now a container of pod web is killed behind Stowage's back, on the simulated host.");
  await killSimulated("web", "httpd");
  await stage.stowage(words("plan"), [2]);
  console.log("(exit code 2)");
  stage.say("Converge again; after that there is nothing to do.");
  await stage.stowage(words("apply", "--yes"));
  await stage.stowage(words("plan"));
  console.log("(exit code 0)");
  await stage.stowage(words("ps"));
}

function writeSimManifest(): void {
  const path = join(EXAMPLE, "cdktf.out/stacks/hello/fleet.json");
  const manifest = parseFleet(JSON.parse(readFileSync(path, "utf8")), `Manifest "${path}"`);
  const absolute = (file: string | undefined) =>
    file === undefined ? undefined : resolve(dirname(path), file);
  const simulated: FleetManifest = {
    ...manifest,
    images: Object.fromEntries(
      Object.entries(manifest.images ?? {}).map(([reference, image]) => {
        const layout = absolute(image.layout);
        return [reference, { ...image, ...(layout === undefined ? {} : { layout }) }];
      }),
    ),
    hosts: Object.fromEntries(
      Object.entries(manifest.hosts).map(([name, host]) => [
        name,
        { ...host, engine: { kind: "sim" as const, file: MACHINE } },
      ]),
    ),
  };
  mkdirSync(SIM_DIR, { recursive: true });
  writeFileSync(join(EXAMPLE, MANIFEST), `${JSON.stringify(simulated, undefined, 2)}\n`);
}

async function killSimulated(pod: string, container: string): Promise<void> {
  const machine = new SimMachine({ file: MACHINE });
  const identity = machine.read(
    ({ pods }) => Object.values(pods).find(({ identity: each }) => each.pod === pod)?.identity,
  );
  if (identity === undefined) {
    throw new StowageError(`Cannot kill pod "${pod}": the simulated host does not have it`, {
      code: "not_found",
    });
  }
  await machine.kill(identity, container);
}
