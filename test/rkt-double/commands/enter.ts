import { existsSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { asUser, credentialsOf, quoted, rootfsOf } from "../app-start.ts";
import { type CommandLine, failAs, failWithUsage } from "../arguments.ts";
import { flyEntry } from "../fly.ts";
import { executionProblem, searchInside } from "../inside-root.ts";
import type { PodManifest } from "../manifest.ts";
import { complain, Exit, refuse } from "../output.ts";
import { manifestOf } from "../pod-view.ts";
import { flavourOf, type Pod, supervisorPid } from "../pods.ts";
import { programOf } from "../programs.ts";
import { childrenOf } from "./end.ts";
import { wantedPod } from "./wanted-pod.ts";

const PLAN_FD = 3;
/** Where a command without a folder is looked for by the flavour host. */
const NO_SUCH_APP = 6;

/** `rkt enter`: what the launcher becomes. */
export function enter(line: CommandLine, dataDir: string): void {
  const prefix = line.words[0] ?? failWithUsage("enter");
  const pod = wantedPod("enter", dataDir, prefix);
  if (pod.state !== "running") failAs("enter", `pod "${pod.uuid}" isn't currently running`);
  if (supervisorPid(pod) === undefined) refuse("entering a pod that is being started");
  const manifest = manifestOf(pod) ?? refuse("a pod without a manifest");
  const app = line.flags.get("app") ?? onlyApp(manifest);
  const given = line.arguments.flatMap((argument) => ("rest" in argument ? argument.rest : []));
  if (given.length === 0) complain('enter: no command specified, assuming "/bin/bash"\n');
  const words = given.length === 0 ? ["/bin/bash"] : given;
  const isFly = flavourOf(pod) === "fly";
  writeSync(
    PLAN_FD,
    isFly ? flyEntry(pod, manifest, app, words) : hostEntry(pod, manifest, app, words),
  );
}

function onlyApp({ apps }: PodManifest): string {
  const [app, ...others] = apps;
  if (app !== undefined && others.length === 0) return app.name;
  complain("enter: pod contains multiple apps:\n");
  for (const { name } of apps) complain(`enter: \t${name}\n`);
  return failAs("enter", 'unable to determine app name: specify app using "rkt enter --app= ..."');
}

function hostEntry(
  pod: Pod,
  manifest: PodManifest,
  name: string,
  words: readonly string[],
): string {
  const [child] = childrenOf(supervisorPid(pod) ?? 0);
  if (child === undefined) return refuse("entering a pod without processes");
  const file = join(pod.path, "stage1/rootfs/rkt/env", name);
  const app = manifest.apps.find((one) => one.name === name)?.app;
  if (!existsSync(file) || app === undefined) {
    complain(`Error: Unable to fopen "/rkt/env/${name}": No such file or directory\n`);
    throw new Exit(NO_SUCH_APP);
  }
  const rootfs = join(pod.path, rootfsOf(name));
  const root = join(`/proc/${child}/root`, rootfs);
  const environment = entryEnvironment(readFileSync(file, "utf8"));
  const [program = "", ...args] = words;
  const folders = (environment.find((line) => line.startsWith("PATH="))?.slice(5) ?? "").split(":");
  const path = program.startsWith("/")
    ? program
    : (searchInside(root, folders, program) ?? program);
  if (executionProblem(root, path) !== undefined) {
    complain(`Error: Unable to open "${path}": No such file or directory\n`);
    throw new Exit(1);
  }
  const credentials = credentialsOf(root, app);
  if ("problem" in credentials) return refuse("entering an app of a user that is gone");
  return `exec ${quoted([
    ...[programOf("nsenter"), "-t", `${child}`, "-m", "-u", "-i", "-n", "-p", "--"],
    ...[programOf("env"), "-i", ...environment, ...asUser(credentials)],
    ...[programOf("unshare"), "-R", rootfs, "-S", `${credentials.uid}`, "--", path, ...args],
  ])}`;
}

/** The app's environment without what systemd put there. */
function entryEnvironment(text: string): readonly string[] {
  const systemd = /^(LANG|INVOCATION_ID|TERM|JOURNAL_STREAM|SYSTEMD_EXEC_PID)=/;
  const lines = text.split("\n").filter((line) => line !== "" && !systemd.test(line));
  return [...lines, "TERM=xterm"];
}
