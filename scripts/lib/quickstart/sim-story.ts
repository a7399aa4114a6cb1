import { join } from "node:path";
import { SimMachine } from "../../../src/engines/sim/index.ts";
import { StowageError } from "../../../src/errors/index.ts";
import { EXAMPLE_FILES } from "./quickstart-folder.ts";
import type { Stage } from "./stage.ts";

/** As examples/hello-fleet has it. */
const MACHINE = join(EXAMPLE_FILES, "sim/machine.json");

/** The same story on a simulated host, where nothing can be installed. Runs no process and opens no port. */
export async function tellSimStory(stage: Stage): Promise<void> {
  stage.say(
    "examples/hello-fleet/main.ts declares a fleet. The engine is a setting: here it is sim.",
  );
  const sim = stage.with({ STOWAGE_HELLO_ENGINE: "sim" });
  if ((await sim.stowage(["plan"], [0, 2])) === 0) {
    await sim.stowage(["ps"]);
    console.log("\nAll is converged, on the simulated host.");
    return;
  }
  await sim.stowage(["apply", "--yes"]);
  sim.say("Now a container of pod web is killed behind Stowage's back, on the simulated host.");
  await killSimulated("web", "httpd");
  await sim.stowage(["plan"], [2]);
  console.log("(exit code 2)");
  sim.say("Converge again; after that there is nothing to do.");
  await sim.stowage(["apply", "--yes"]);
  await sim.stowage(["plan"]);
  console.log("(exit code 0)");
  await sim.stowage(["ps"]);
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
