import { join, relative } from "node:path";
import { parseArgs } from "node:util";
import { ensureBuild } from "./lib/ensure-build.ts";
import { PROJECT_ROOT } from "./lib/project-root.ts";
import { chooseEngine } from "./lib/quickstart/choose-engine.ts";
import { choosePort, USUAL_PORT } from "./lib/quickstart/choose-port.ts";
import { tellContainerdStory } from "./lib/quickstart/containerd-story.ts";
import { fleetEnvironment } from "./lib/quickstart/fleet-environment.ts";
import { makeHelloImage } from "./lib/quickstart/hello-image.ts";
import {
  EXAMPLE,
  type QuickstartFolder,
  quickstartFolder,
  readSettings,
  writeSettings,
} from "./lib/quickstart/quickstart-folder.ts";
import { runAlone } from "./lib/quickstart/run-alone.ts";
import { tellSimStory } from "./lib/quickstart/sim-story.ts";
import { Stage } from "./lib/quickstart/stage.ts";
import { takeDown } from "./lib/quickstart/take-down.ts";
import { SHELL_SETTINGS, writeShellSettings } from "./lib/quickstart/write-shell-settings.ts";
import { runMain } from "./lib/run-main.ts";

const USAGE = `Usage: npm run quickstart [-- --down | --sim]

Plans and applies examples/hello-fleet on a containerd of this machine, kills a container, and
converges again. Run again it shows that there is nothing to do.

  --down   destroys the fleet, stops the private containerd and removes everything
  --sim    on a simulated host: installs nothing, needs no root
`;
const MAIN = join(PROJECT_ROOT, "dist/cli/main.cjs");
const INTERRUPTED = 130;

await runMain(() => main(process.argv.slice(2)));

async function main(argv: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      down: { type: "boolean" },
      sim: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help === true) {
    console.log(USAGE);
    return 0;
  }
  const stop = new AbortController();
  // the command that runs gets Ctrl-C as well and ends in its own way
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => stop.abort());
  const folder = quickstartFolder();
  await using _alone = await runAlone(folder.dir);
  try {
    await ensureBuild(PROJECT_ROOT, () => console.log("Building Stowage …"));
    stop.signal.throwIfAborted();
    if (values.down === true) await takeDown(folder, { main: MAIN, signal: stop.signal });
    else await show(folder, stop.signal, values.sim === true);
    return 0;
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    console.log("\nStopped. Run it again: it goes on from where it is.");
    return INTERRUPTED;
  }
}

async function show(folder: QuickstartFolder, signal: AbortSignal, isSim: boolean): Promise<void> {
  const settings = readSettings(folder);
  const engine = isSim
    ? ({ kind: "sim", reason: "As you asked." } as const)
    : await chooseEngine(folder, settings, (line) => console.log(line));
  signal.throwIfAborted();
  makeHelloImage();
  if (engine.kind === "sim") {
    console.log(
      `${engine.reason}\nSo this is the story on a simulated host: no process is run, no port opened.`,
    );
    await tellSimStory(new Stage({ main: MAIN, env: {}, signal }));
    console.log("\nTo clean up:   npm run quickstart -- --down");
    return;
  }
  const { port, taken } = await choosePort(settings?.port ?? USUAL_PORT);
  if (taken.length > 0)
    console.log(`Port ${taken.join(", ")} is taken by others; ${port} is used.`);
  writeSettings(folder, { port, socket: engine.socket });
  const scene = { ...engine, port };
  const env = fleetEnvironment(folder, scene);
  writeShellSettings(MAIN, env);
  await tellContainerdStory(new Stage({ main: MAIN, env, signal }), scene);
  sayHowToGoOn(folder, engine.isPrivate);
}

function sayHowToGoOn({ dir }: QuickstartFolder, isPrivate: boolean): void {
  const containerd = isPrivate ? `, stop the private containerd and remove ${dir}` : "";
  console.log(`
To go on by hand:   cd ${relative(process.cwd(), EXAMPLE)} && . ${SHELL_SETTINGS} && stowage plan
To destroy it:      stowage destroy            (there; its volume is kept)
To clean up:        npm run quickstart -- --down   (destroy it with its volume${containerd})`);
}
