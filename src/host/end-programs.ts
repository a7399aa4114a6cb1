/** The variable that marks programs, and all that they start. */
export const PROGRAM_MARK = "STOWAGE_LOCK";

/**
 * Looks for marked programs every tenth of a second, kills them at the end, and prints those that are still there after
 * five seconds more. One whose session's first process is marked as well has gone into the background.
 */
const SCRIPT = `
mark=$1 turns=$2
marked() { tr '\\0' '\\n' <"/proc/$1/environ" | grep -Fqx -e "$mark"; } 2>/dev/null
session() { read -r stat <"/proc/$1/stat" && set -- \${stat##*) } && echo "$4"; } 2>/dev/null
left() {
  for file in $(grep -Fls -e "$mark" /proc/[0-9]*/environ); do
    pid=\${file#/proc/} pid=\${pid%/environ}
    marked "$pid" || continue
    leader=$(session "$pid") && ! marked "$leader" && echo "$pid"
  done
  true
}
# one that is just becoming another program has no environment for a moment
still() {
  for pid in $known; do
    read -r stat <"/proc/$pid/stat" || continue
    set -- \${stat##*) }
    [ "$1" = Z ] || [ "$4" = "$pid" ] || echo "$pid"
  done
} 2>/dev/null
none=0 known=
while [ $none -lt 2 ]; do
  pids=$({ left; still; } | sort -u)
  known=$pids
  [ -n "$pids" ] || { none=$((none + 1)); sleep 0.05; continue; }
  none=0 turns=$((turns - 1))
  [ "$turns" -gt -50 ] || break
  [ "$turns" -gt 0 ] || kill -KILL $pids 2>/dev/null
  sleep 0.1
done
for pid in $pids; do
  read -r name <"/proc/$pid/comm" && echo "$pid $name"
done 2>/dev/null
exit 0`;

/** The command that ends marked programs and prints those that it cannot end. */
export function endProgramsCommand(mark: string, graceMs: number): readonly string[] {
  const turns = Math.ceil(graceMs / 100);
  return ["sh", "-c", SCRIPT, "sh", `${PROGRAM_MARK}=${mark}`, String(turns)];
}
