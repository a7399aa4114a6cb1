import { spawnSync } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { StowageError } from "../../../src/errors/index.ts";
import { findOnPath } from "../../../src/internal/index.ts";
import { pageLine } from "./choose-port.ts";
import type { Stage } from "./stage.ts";

const NAMESPACE = "stowage";
const END_TIMEOUT_MS = 10_000;
const END_POLL_MS = 50;

/** Where the story takes place. */
export interface ContainerdScene {
  readonly socket: string;
  readonly port: number;
}

/**
 * Synth and plan; and where there is something to do: apply, the page, a container killed behind
 * Stowage's back, its drift, and back again; at last the host moves to podman and back. Ends converged.
 */
export async function tellContainerdStory(stage: Stage, scene: ContainerdScene): Promise<void> {
  stage.say("examples/hello-fleet/main.ts declares a fleet; this writes it as data.");
  await stage.stowage(["synth"]);
  stage.say("What has to be done to make this machine that? Planning cannot touch anything.");
  const code = await stage.stowage(["plan"], [0, 2]);
  console.log(`(exit code ${code})`);
  if (code === 2) await tellChange(stage, scene);
  await showPage(stage, scene);
  await stage.stowage(["ps"]);
  await stage.stowage(["logs", "--tail", "5", "web", "clock"]);
  if (code === 2) await tellMove(stage, scene);
  console.log("\nAll is converged.");
}

/** To the engine without a daemon, and back. */
async function tellMove(stage: Stage, scene: ContainerdScene): Promise<void> {
  if (findOnPath("podman") === undefined) {
    stage.say("The host would now move to podman and back, but podman is not on PATH.");
    return;
  }
  const onPodman = stage.with({ STOWAGE_HELLO_ENGINE: "podman" });
  stage.say("The engine of a host is one word. Say podman, which has no daemon, in its place:");
  await onPodman.stowage(["plan"], [0, 2]);
  await onPodman.stowage(["apply", "--yes"]);
  await showPage(stage, scene);
  await onPodman.stowage(["ps"]);
  stage.say("And back. The volume with the starts of the page stays where it is all the time.");
  await stage.stowage(["plan"], [0, 2]);
  await stage.stowage(["apply", "--yes"]);
  await showPage(stage, scene);
  await stage.stowage(["plan"]);
}

async function tellChange(stage: Stage, scene: ContainerdScene): Promise<void> {
  stage.say("Do it.");
  await stage.stowage(["apply", "--yes"]);
  await showPage(stage, scene);
  stage.say("Now somebody kills a container, with containerd's own tool.");
  await killContainer(stage, scene, "web");
  stage.say("The plan tells.");
  const code = await stage.stowage(["plan"], [0, 2]);
  console.log(code === 2 ? "(exit code 2)" : "(containerd's own restart was quicker)");
  stage.say("Converge again; after that there is nothing to do.");
  await stage.stowage(["apply", "--yes"]);
  await stage.stowage(["plan"]);
  console.log("(exit code 0)");
}

async function showPage(stage: Stage, { port }: ContainerdScene): Promise<void> {
  stage.say(`Its page, http://127.0.0.1:${port}/ begins with:`);
  const line = await pageLine(port);
  if (line !== undefined) {
    console.log(line);
    return;
  }
  throw new StowageError(
    `Cannot fetch http://127.0.0.1:${port}/: nothing answers; see stowage ps`,
    {
      code: "unavailable",
    },
  );
}

async function killContainer(
  stage: Stage,
  { socket }: ContainerdScene,
  pod: string,
): Promise<void> {
  const ctr = findOnPath("ctr") ?? "ctr";
  const base = ["-a", socket, "-n", NAMESPACE];
  const find = [...base, "containers", "ls", "-q", `labels."io.stowage.pod"==${pod}`];
  const id = spawnSync(ctr, find, { encoding: "utf8" }).stdout.trim().split("\n")[0] ?? "";
  if (id === "") {
    throw new StowageError(`Cannot find pod "${pod}" in containerd; see stowage ps`, {
      code: "not_found",
    });
  }
  const args = [...base, "task", "kill", "-s", "SIGKILL", id];
  await stage.run({ shown: `ctr ${args.join(" ")}`, file: ctr, args, exitCodes: [0] });
  const deadline = Date.now() + END_TIMEOUT_MS;
  while (isRunning(ctr, base, id) && Date.now() < deadline) await delay(END_POLL_MS);
}

function isRunning(ctr: string, base: readonly string[], id: string): boolean {
  const { stdout } = spawnSync(ctr, [...base, "tasks", "ls"], { encoding: "utf8" });
  return stdout.split("\n").some((line) => line.startsWith(`${id} `) && line.includes("RUNNING"));
}
