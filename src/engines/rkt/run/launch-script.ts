import { CGROUP_ROOT } from "../../../engine/index.ts";
import { PROGRAM_MARK } from "../../../host/index.ts";
import type { Logging } from "../../../model/index.ts";
import { RKT_ENV } from "../cli/rkt-cli.ts";
import {
  type CgroupHome,
  type CgroupWrite,
  cgroupDirs,
  processDir,
  supervisorDir,
} from "./cgroups.ts";
import { quote, quoteAll } from "./quote.ts";

/** Everything that a start of a container is made of. */
export interface Launch {
  readonly container: string;
  readonly app: string;
  readonly cgroups: CgroupHome;
  readonly limits: readonly CgroupWrite[];
  /** Command that runs the prepared pod in place. */
  readonly command: readonly string[];
  /** A network namespace of its own, one that a file pins, or the host's. */
  readonly network: "new" | "host" | { readonly file: string };
  /** Host name to set; absent where rkt does it. */
  readonly hostname?: string;
  readonly noNewPrivileges: boolean;
  /** Options of prlimit(1). */
  readonly rlimits: readonly string[];
  readonly oomScoreAdj?: number;
  /** Number of the signal that asks its process to end. */
  readonly stopSignal: number;
  readonly logging: Required<Logging>;
  readonly podDir: string;
  readonly logDir: string;
  readonly logWriter: string;
  /** Directory for the two pipes of its output. */
  readonly pipeDir: string;
}

/** For rkt: an app has no variables but its own. */
const RKT_VARIABLES = Object.entries(RKT_ENV)
  .map(([name, value]) => `${name}=${value}`)
  .join(" ");

const CPUSETS = `${CGROUP_ROOT}/cpuset`;

/** Status of a start that did not come as far as rkt. */
export const NOT_LAUNCHED = 125;

/**
 * Waits for process `$child` of a shell until it has ended, whatever signals are caught meanwhile, and sets `$code`. A
 * signal cuts a wait off, also one that has seen the end already: asked once more, the shell tells it, or
 * that it has told it.
 */
export const WAIT_FOR_CHILD = `while :; do
  wait $child
  code=$?
  kill -0 $child 2>/dev/null || break
done
wait $child
again=$?
[ $again -eq 127 ] || code=$again`;

/**
 * The script that supervises one run of a container, detached from whoever started it: a cgroup with the
 * limits, rkt within it, its output to the log writer, and at the end a file that says how it ended.
 *
 * rkt has no process that stays: on fly the app takes its place. Nothing here is needed for the
 * container to go on; without it its end is not recorded.
 */
export function launchScript(launch: Launch): string {
  const { container, app, cgroups, podDir, pipeDir } = launch;
  const [out, err] = [`${pipeDir}/${app}.out`, `${pipeDir}/${app}.err`];
  const kept = launch.logging.mode === "file";
  return `unset STW_SCRIPT ${PROGRAM_MARK}
umask 077
cd ${quote(podDir)} || exit
# a signal that is caught is not ignored by what is run
trap : HUP INT TERM
finish() {
  rm -f ${quoteAll([out, err])}
  printf '%s %s %s\\n' "$1" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$2" >.${container}.exit
  mv .${container}.exit ${container}.exit
  exit
}
${cgroupLines(launch)}
${kept ? logLines(launch, out, err) : `exec 6>/dev/null 7>/dev/null`}
${apart(launch)} sh -c ${quote(innerScript(launch))} ${kept ? `>${quote(out)} 2>${quote(err)}` : ">&6 2>&7"} </dev/null &
child=$!
# systemd asks the supervisor, which asks the container
trap 'kill -${launch.stopSignal} $child 2>/dev/null' TERM
${WAIT_FOR_CHILD}
# what it left behind dies with it, as in a process namespace
left=1
while [ $left -gt 0 ]; do
  left=0
  for p in $(cat ${processDir(cgroups, app)}/cgroup.procs ${processDir(cgroups, app)}/*/cgroup.procs 2>/dev/null); do
    left=1
    kill -9 $p 2>/dev/null
  done
  [ $left -eq 0 ] || sleep 0.02
done
# the writer ends with the last of the output
wait
finish $code
`;
}

/** Few processes are started here: on a busy host each costs as much as a file of rkt's. */
function cgroupLines({ container, cgroups, app, limits, pipeDir, logDir }: Launch): string {
  const dirs = cgroupDirs(cgroups, app);
  const supervisor = supervisorDir(cgroups, app);
  const root = (directory: string): string => directory.slice(0, directory.lastIndexOf("/"));
  const enable =
    cgroups.version === 2
      ? `for c in cpu cpuset memory pids; do
  echo +$c >/sys/fs/cgroup/cgroup.subtree_control
  echo +$c >${root(dirs[0] ?? "")}/cgroup.subtree_control
done 2>/dev/null`
      : `for d in ${cpusetChain(dirs).join(" ")}; do
  # a new cpuset is empty, and nothing can run in it
  for f in cpuset.cpus cpuset.mems; do
    v=
    read -r v <$d/$f
    [ -n "$v" ] || { read -r v <\${d%/*}/$f; echo "$v" >$d/$f; }
  done
done 2>/dev/null`;
  const make = `mkdir -p ${quoteAll([...dirs, supervisor, pipeDir, logDir])}`;
  // who removes the last container takes the folder of all away, perhaps just now
  return `${make} 2>/dev/null || ${make} 2>/dev/null || ${make} || finish ${NOT_LAUNCHED} "cannot make a cgroup"
echo 0 >${supervisor}/cgroup.procs || finish ${NOT_LAUNCHED} "cannot enter a cgroup"
echo $$ >${container}.sup
${enable}
${limitLines(limits, `finish ${NOT_LAUNCHED} "cannot set limit $f"`)}`;
}

/** A container's cpuset and those above it, from the outermost on: systemd makes none of them. */
function cpusetChain(dirs: readonly string[]): readonly string[] {
  const own = dirs.find((each) => each.startsWith(`${CPUSETS}/`)) ?? CPUSETS;
  const names = own.slice(CPUSETS.length + 1).split("/");
  return names.map((_, at) => [CPUSETS, ...names.slice(0, at + 1)].join("/"));
}

/** Writes limits. Some are refused until another is written: only the second round has to succeed. */
export function limitLines(limits: readonly CgroupWrite[], failed: string): string {
  if (limits.length === 0) return "";
  const lines = limits.map(
    ([path, value]) =>
      `  f=${quote(path)}; printf %s ${quote(value)} >$f || [ $round = 1 ] || { ${failed}; }`,
  );
  return `for round in 1 2; do\n${lines.join("\n")}\ndone 2>/dev/null`;
}

function logLines({ logDir, logWriter, logging }: Launch, out: string, err: string): string {
  const words = [logWriter, logDir, String(logging.maxBytes), String(logging.maxFiles)];
  return `[ ! -e ${quote(out)} ] && [ ! -e ${quote(err)} ] || rm -f ${quoteAll([out, err])}
mkfifo ${quoteAll([out, err])} || finish ${NOT_LAUNCHED} "cannot make a pipe"
# without the writer output is dropped: a pipe that nobody reads would end the app
{ sh ${quoteAll(words)} || { cat <&4 & cat <&3; }; } 3<${quote(out)} 4<${quote(err)} </dev/null >/dev/null 2>&1 &`;
}

/** Mounts of its own: what rkt mounts is gone with it, and the host's table stays as it is. */
function apart({ network }: Launch): string {
  const join = typeof network === "object" ? `nsenter --net=${quote(network.file)} ` : "";
  return `${join}unshare --mount --uts${network === "new" ? " --net" : ""}`;
}

/** Runs as the process that rkt, and on fly the app, takes the place of. */
function innerScript(launch: Launch): string {
  const { container, app, cgroups, rlimits, oomScoreAdj, hostname, network, command } = launch;
  const files = cgroupDirs(cgroups, app).map((directory) => `${directory}/cgroup.procs`);
  const limits = rlimits.length === 0 ? "" : `prlimit ${quoteAll(rlimits)} `;
  const privileges = launch.noNewPrivileges ? "setpriv --no-new-privs " : "";
  return [
    "umask 022",
    `echo $$ >${container}.pid`,
    ...files.map((file) => `echo 0 >${quote(file)} || exit ${NOT_LAUNCHED}`),
    ...(oomScoreAdj === undefined
      ? []
      : [`echo ${oomScoreAdj} >/proc/self/oom_score_adj || exit ${NOT_LAUNCHED}`]),
    ...(hostname === undefined ? [] : [`echo ${quote(hostname)} >/proc/sys/kernel/hostname`]),
    ...(network === "new" ? ["ip link set lo up"] : []),
    `${RKT_VARIABLES} exec ${limits}${privileges}${quoteAll(command)}`,
  ].join("\n");
}
