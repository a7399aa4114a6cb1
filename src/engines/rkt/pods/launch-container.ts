import { type PodInstance, STOP_DEFAULTS, signalNumber } from "../../../engine/index.ts";
import { StowageError } from "../../../errors/index.ts";
import { LOG_WRITER_NAME } from "../../../host/index.ts";
import {
  type ContainerSpec,
  effectiveLogging,
  objectName,
  SYSTEMD_RUNNING,
} from "../../../model/index.ts";
import { callOptions, describePod, type RktContext } from "../context.ts";
import { appName } from "../layout.ts";
import { cgroupHome } from "../run/cgroup-home.ts";
import { limitWrites } from "../run/cgroups.ts";
import { type Launch, launchScript } from "../run/launch-script.ts";
import { unitText } from "../run/unit.ts";
import { pause } from "./end-processes.ts";
import { sharesNamespace } from "./exclusive.ts";
import { failureOf, mayHaveFailed } from "./launch-failure.ts";
import type { PodFile } from "./pod-file.ts";

/** Time that a pod of rkt's may take to come as far as its app. */
const LAUNCH_MS = 60_000;

/** Runs a prepared container, and waits until its process has begun. */
export async function launchContainer(
  context: RktContext,
  pod: PodInstance,
  file: PodFile,
  container: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const launch = await launchOf(context, pod, file, container);
  const script = launchScript(launch);
  signal?.throwIfAborted();
  for (const kind of ["exit", "pid"])
    await context.host.removeFile(`${launch.podDir}/${container}.${kind}`);
  if (launch.cgroups.systemd)
    await launchUnit(context, launch, script, gracePeriodOf(pod, container));
  else {
    // in its environment: a command line is everybody's to read, and has an end
    const command = 'exec setsid --fork sh -c "$STW_SCRIPT" </dev/null >/dev/null 2>&1';
    await context.host.run(["sh", "-c", command], { env: { STW_SCRIPT: script } });
  }
  await waitForApp(context, pod, file, launch, signal);
}

async function launchOf(
  context: RktContext,
  pod: PodInstance,
  file: PodFile,
  container: string,
): Promise<Launch> {
  const { layout, cli, flavor } = context;
  const { identity, spec: podSpec } = pod;
  const spec = podSpec.containers[container] as ContainerSpec;
  const [app, name] = [appName(identity, container), objectName(identity)];
  const cgroups = await cgroupHome(context, undefined);
  const hostname = podSpec.hostname ?? identity.pod;
  const flags = flavor === "host" ? [`--net=host`, `--hostname=${hostname}`] : [];
  // a pod's own systemd knows how to end it
  const stopSignal =
    flavor === "host"
      ? STOP_DEFAULTS.signal
      : (spec.stopSignal ?? file.containers[container]?.stopSignal ?? STOP_DEFAULTS.signal);
  const unfiltered = flavor === "host" && spec.security?.seccomp === "unconfined";
  const options = unfiltered ? ["--insecure-options=seccomp"] : [];
  return {
    container,
    app,
    cgroups,
    limits: limitWrites(cgroups, app, spec.resources ?? {}),
    command: cli.command(
      ...options,
      "run-prepared",
      ...flags,
      file.containers[container]?.uuid ?? "",
    ),
    network: networkOf(pod, layout.netnsFile(name)),
    ...(flavor === "fly" ? { hostname } : {}),
    noNewPrivileges: flavor === "fly" && (spec.security?.noNewPrivileges ?? true),
    rlimits: Object.entries(spec.ulimits ?? {}).map(
      ([limit, { soft, hard }]) => `--${limit === "msgqueue" ? "msgqueue" : limit}=${soft}:${hard}`,
    ),
    ...(spec.oomScoreAdj === undefined ? {} : { oomScoreAdj: spec.oomScoreAdj }),
    stopSignal: signalNumber(stopSignal),
    // its type allows undefined, its values never are
    logging: effectiveLogging(spec.logging) as Launch["logging"],
    podDir: layout.podDir(name),
    logDir: layout.logDir(app),
    logWriter: layout.logWriter(LOG_WRITER_NAME),
    pipeDir: `${layout.runRoot}/pipes`,
  };
}

function networkOf({ identity, spec, network }: PodInstance, file: string): Launch["network"] {
  const mode = spec.network?.mode ?? "none";
  if (mode === "host") return mode;
  if (mode === "none") return sharesNamespace(spec) ? { file } : "new";
  if (network !== undefined) return { file: network.namespace };
  throw new StowageError(`Cannot start ${describePod(identity)}: its network does not exist`, {
    code: "internal",
  });
}

function gracePeriodOf({ spec }: PodInstance, container: string): number {
  return spec.containers[container]?.stopGracePeriodMs ?? STOP_DEFAULTS.gracePeriodMs;
}

async function launchUnit(
  { host }: RktContext,
  { app, podDir, container }: Launch,
  script: string,
  gracePeriodMs: number,
): Promise<void> {
  const scriptFile = `${podDir}/${container}.run`;
  await host.writeFile(scriptFile, script);
  await host.writeFile(
    `${SYSTEMD_RUNNING}/${app}.service`,
    unitText(app, scriptFile, gracePeriodMs),
  );
  for (const command of [
    ["systemctl", "daemon-reload"],
    ["systemctl", "restart", `${app}.service`],
  ]) {
    const { exitCode, stderr } = await host.run(command);
    if (exitCode === 0) continue;
    throw new StowageError(
      `Cannot start unit "${app}.service": ${stderr.trim().slice(0, 300)}; see systemctl status`,
      { code: "failed_precondition", context: { unit: app } },
    );
  }
}

/**
 * Waits until the process is the app's own. Until then it is rkt's, and the pod's UUID is the last word of
 * its command line.
 */
async function waitForApp(
  context: RktContext,
  pod: PodInstance,
  file: PodFile,
  { podDir, container, app }: Launch,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { host, flavor, layout } = context;
  const uuid = file.containers[container]?.uuid ?? "";
  const [pidFile, exitFile] = [`${podDir}/${container}.pid`, `${podDir}/${container}.exit`];
  // host flavour: the supervisor's process id, written when the pod's own systemd is run
  const begun = `${layout.dir}/pods/run/${uuid}/ppid`;
  const deadline = performance.now() + LAUNCH_MS;
  let pid = "";
  for (let round = 0; performance.now() < deadline; round += 1) {
    const files = [pidFile, exitFile, flavor === "host" ? begun : `/proc/${pid || "-"}/cmdline`];
    const { files: found } = await host.snapshot({ files }, callOptions(signal));
    const exit = found.get(exitFile);
    if (typeof exit === "string")
      return await checkExit(context, pod, { container, app, uuid }, exit);
    const commandLine = found.get(`/proc/${pid}/cmdline`);
    if (flavor === "fly" && typeof commandLine === "string" && isApp(commandLine, uuid)) return;
    if (flavor === "host" && found.has(begun)) return;
    pid = String(found.get(pidFile) ?? "").trim();
    // rkt takes longer than the first rounds would
    await pause(round + 4, signal);
  }
  throw new StowageError(
    `Cannot start container "${container}" of ${describePod(pod.identity)}: rkt did not reach its command within ${LAUNCH_MS} ms; stop it and start it again`,
    { code: "deadline_exceeded", context: { pod: pod.identity.pod, container } },
  );
}

function isApp(commandLine: string, uuid: string): boolean {
  // a process that has ended has none
  return commandLine !== "" && !commandLine.includes(uuid);
}

/** A container that ended at once may have done its work; one that never began has not. */
async function checkExit(
  { host, layout }: RktContext,
  pod: PodInstance,
  { container, app, uuid }: { readonly container: string; readonly app: string; uuid: string },
  exit: string,
): Promise<void> {
  const unused = `${layout.dir}/pods/prepared/${uuid}`;
  const { files, existing } = await host.snapshot({
    files: mayHaveFailed(exit) ? [`${layout.logDir(app)}/*.log`] : [],
    exist: [unused],
  });
  const last = [...files].sort(([a], [b]) => (a < b ? -1 : 1)).at(-1)?.[1];
  // rkt takes a pod out of its prepared ones before it runs it
  const said =
    failureOf(exit, typeof last === "string" ? last : "") ??
    (existing.has(unused) ? "rkt run-prepared ended and did not run it" : undefined);
  if (said === undefined) return;
  throw new StowageError(
    `Cannot start container "${container}" of ${describePod(pod.identity)} on rkt: ${said}; see its declaration, and stowage logs`,
    { code: "failed_precondition", context: { pod: pod.identity.pod, container } },
  );
}
