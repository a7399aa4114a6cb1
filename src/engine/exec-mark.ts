/** Variable that a command in a container and all that it begins are found by, when they have to be ended. */
export const EXEC_MARK = "STOWAGE_EXEC";

/**
 * Variable of what watches the command outside of the container, which no command can take off: podman hands only
 * some on to conmon, those of languages among them.
 */
export const EXEC_WATCH_MARK = "LC_STOWAGE_EXEC";

/**
 * Looks once: kills the processes that have the mark `$1` now, those that a conmon with the mark `$2` has begun, the one whose id
 * is in the file `$3`, the sessions of these, and all their children: each may have given up the mark.
 */
const LOOK = [
  'marked() { grep -lzsx -e "$1" /proc/[0-9]*/environ | cut -d/ -f3; }',
  'children() { cat "/proc/$1/task/"*/children 2>/dev/null; }',
  'tree() { for pid in "$@"; do echo "$pid"; tree $(children "$pid"); done; }',
  'watched() { for pid in $(marked "$1"); do [ "$(cat "/proc/$pid/comm" 2>/dev/null)" != conmon ] || children "$pid"; done; }',
  // a dead one that nobody waits for stays in the table
  `members() { for pid in "$@"; do
  sed -n "s/^\\([0-9]*\\) .*) [^ZX] [0-9]* [0-9]* $pid .*/\\1/p" /proc/[0-9]*/stat 2>/dev/null
done; }`,
  '[ -z "$2" ] || roots="$roots $(watched "$2")"',
  'pids=$(tree $(marked "$1") $(members $roots $(cat "$3" 2>/dev/null)))',
  '[ -z "$pids" ] || kill -KILL $pids 2>/dev/null',
].join("\n");

/** Half a minute and more: a process that cannot be killed, as it waits for a disk that is gone, is not waited for without end. */
const LOOKS_MAX = 300;

/** Nothing is known of before, and nobody's environment is to say it. */
const UNKNOWN = "roots=";

/** Ends what has the marks now: `$1` in the container, and `$2` for a conmon's. */
export const END_MARKED = `${UNKNOWN}\n${LOOK}`;

/** The same until there are none: one that is just beginning another may leave that behind. */
export const END_ALL_MARKED = `${UNKNOWN}
for look in 1 2 3 4 5 6 7 8 9 10; do
${LOOK}
[ -z "$pids" ] && exit 0
sleep 0.02
done`;

/**
 * For a guard: the same until there have been none for two seconds, as an engine may just have been asked to begin
 * one. An engine may keep the id of a command's first process in a file, `$3`.
 */
export const END_MARKED_FOR_GOOD = `looks=0 all=0 ${UNKNOWN}
while [ $looks -lt 20 ] && [ $all -lt ${LOOKS_MAX} ]; do
looks=$((looks + 1)) all=$((all + 1))
${LOOK}
[ -z "$pids" ] || looks=0
sleep 0.1
done`;

/** A variable and its value, as the scripts take it. */
export function execMark(id: string): string {
  return `${EXEC_MARK}=${id}`;
}
