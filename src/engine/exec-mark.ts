/** Variable that a command in a container and all that it begins are found by, when they have to be ended. */
export const EXEC_MARK = "STOWAGE_EXEC";

/** Kills the processes that have the mark `$1` now, and their children, which may have given it up. */
export const END_MARKED = [
  'tree() { for pid in "$@"; do echo "$pid"; tree $(cat "/proc/$pid/task/"*/children 2>/dev/null); done; }',
  'pids=$(tree $(grep -lzsx -e "$1" /proc/[0-9]*/environ | cut -d/ -f3))',
  '[ -z "$pids" ] || kill -KILL $pids 2>/dev/null',
].join("\n");

/** The same until there are none: one that is just beginning another may leave that behind. */
export const END_ALL_MARKED = `for look in 1 2 3 4 5 6 7 8 9 10; do
${END_MARKED}
[ -z "$pids" ] && exit 0
sleep 0.02
done`;

/** The same until there have been none for two seconds: an engine may just have been asked to begin one. */
export const END_MARKED_FOR_GOOD = `looks=0
while [ $looks -lt 20 ]; do
looks=$((looks + 1))
${END_MARKED}
[ -z "$pids" ] || looks=0
sleep 0.1
done`;

/** A variable and its value, as the scripts take it. */
export function execMark(id: string): string {
  return `${EXEC_MARK}=${id}`;
}
