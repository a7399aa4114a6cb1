/**
 * What plugins made for a pod is in its directory, each of them by its number in the chain: `N.type` and
 * `N.head` (what it is given, but for the last brace), `N.begun` from before it is run for the first time
 * until it has taken all of it back, `N.result` (what it said). `addrs` and `checks` are how the interface
 * looked, and which plugins knew it for theirs, when all of it was made; `mark` comes last.
 *
 * Whoever runs plugins has the lock, and so has every plugin that outlived a killed run: it is waited for.
 */
const COMMON = `umask 077
export LC_ALL=C
a=$1 ns=$2 id=$3
lock() {
  exec 9>"$a/lock"
  flock -w 60 9 || { echo "plugins of another run have not ended" >&2; exit 1; }
}
given() { # number, file of a result
  cat "$a/$1.head"
  [ -z "$2" ] || { printf ',"prevResult":'; cat "$2"; }
  printf '}'
}
plugin() { # command, number, file of the result that it is given
  t=$(cat "$a/$2.type") p=
  IFS=:
  for d in $(cat "$a/path"); do [ -z "$p" ] && [ -x "$d/$t" ] && p=$d/$t; done
  unset IFS
  [ -n "$p" ] || { echo "plugin $t is not in $(cat "$a/path")"; return 1; }
  given "$2" "$3" | CNI_COMMAND=$1 CNI_CONTAINERID=$id CNI_NETNS=$ns CNI_IFNAME=eth0 CNI_PATH=$(cat "$a/path") "$p"
}
change() { # the same, which writes what it says: it has to live on where nobody reads that any more
  plugin "$@" >"$a/said" 2>"$a/log" && return
  echo "$(cat "$a/$2.type"), $1: $(tail -c 2000 "$a/said" | tr '\\n' ' ')$(tail -c 500 "$a/log" | tr '\\n' ' ')" >&2
  return 1
}
last() { # the newest result
  r=
  for f in "$a"/*.result; do [ ! -s "$f" ] || r=$f; done
  echo "$r"
}
# a plugin that finds no interface, or no namespace, leaves what it made for its address: it gets to see one
stand_in() {
  [ -s "$a/addrs" ] || return 0
  mountpoint -q "$ns" || {
    mkdir -p "\${ns%/*}"
    : >>"$ns"
    unshare --net="$ns" ip link set lo up || return
  }
  nsenter --net="$ns" ip link show dev eth0 >/dev/null 2>&1 && return
  nsenter --net="$ns" ip -batch - <<END
link add eth0 type veth peer name stw-stand-in
$(sed 's/.*/addr add & dev eth0/' "$a/addrs")
END
}
del() {
  r=$(last)
  [ -z "$r" ] || stand_in || return
  for n in $(ls "$a" | sed -n 's/\\.begun$//p' | sort -rn); do
    # one that misses a rule of its own says so after it took all else back, and is content the next time
    change DEL "$n" "$r" 2>/dev/null || change DEL "$n" "$r" || return
    rm -f "$a/$n.begun"
  done
  rm -f "$a"/*.result "$a/addrs"
  ! nsenter --net="$ns" ip link del dev stw-stand-in >/dev/null 2>&1 || :
}
addrs() { nsenter --net="$ns" ip -o -4 addr show dev eth0 up 2>/dev/null | sed 's/.* inet \\([^ ]*\\).*/\\1/'; }
checked() { # whether all that plugins knew for theirs still is: prints what is not
  for n in $(cat "$a/checks"); do plugin CHECK "$n" "$(last)" 2>/dev/null || return; done
}
`;

/**
 * Has the plugins attach a pod, unless all is as they made it. What was begun before, or has changed, is
 * undone first; so is what fails, and then it is done once more: something of a pod that was there
 * before a loss of these files may be in the way.
 *
 * Arguments: directory, namespace file, id, where plugins are, what tells this attachment from others
 * (empty: it is to be created again), whether plugins may be asked, and their types. What they are given is in
 * the environment. Prints the last result.
 */
export const CNI_ADD = `${COMMON}path=$4 mark=$5 checks=$6; shift 6
lock
if [ -n "$mark" ] && [ "$(cat "$a/mark" 2>/dev/null)" = "$mark" ] && [ "$(addrs)" = "$(cat "$a/addrs")" ] && checked >/dev/null
then exec cat "$(last)"; fi
rm -f "$a/mark"
del || exit
write() {
  rm -f "$a"/*.head "$a"/*.type
  printf '%s' "$path" >"$a/path"
  n=10
  for t; do
    printf '%s' "$t" >"$a/$n.type"
    eval 'printf "%s" "$STW_CNI_'$n'"' >"$a/$n.head"
    n=$((n + 1))
  done
}
add() {
  r= n=10
  for t; do
    : >"$a/$n.begun"
    change ADD "$n" "$r" || return
    mv "$a/said" "$a/$n.result"
    r=$a/$n.result n=$((n + 1))
  done
}
write "$@" && { add "$@" 2>/dev/null || { del && add "$@"; } || { del 2>/dev/null; exit 1; }; } || exit
addrs >"$a/addrs"
# a plugin that does not know what it has just made will not know it later
: >"$a/checks"
[ -z "$checks" ] || for f in "$a"/*.result; do
  n=\${f##*/} n=\${n%.result}
  ! plugin CHECK "$n" "$(last)" >/dev/null 2>&1 || echo "$n" >>"$a/checks"
done
echo "\${mark:-made}" >"$a/mark"
exec cat "$(last)"
`;

/** Has the plugins take back what they made. Arguments: directory, namespace file, id. Not there: nothing happens. */
export const CNI_DEL = `${COMMON}[ -d "$a" ] || exit 0
lock
rm -f "$a/mark"
del
`;

/** Lets a pod's namespace go, and the files that it has of its own. Arguments: namespace file, and theirs. */
export const CNI_DROP = `while umount "$1" 2>/dev/null; do :; done
rm -f "$@"`;

/** Writes files in place, since containers have them mounted. Arguments: each file. Texts are in the environment. */
export const CNI_PUT = `set -e; umask 022
n=0
for f; do
  mkdir -p "\${f%/*}"
  eval 'text=$STW_TEXT_'$n bytes='$STW_BYTES_'$n
  [ -e "$f" ] || : >"$f"
  printf '%s' "$text" 1<>"$f"
  truncate -s "$bytes" "$f"
  n=$((n + 1))
done`;

/**
 * Looks whether pods are attached as they were. Arguments: for each its directory, namespace file and id.
 * Prints of each a line: what is not as it was, or nothing.
 */
export const CNI_LOOK = `look() (
${COMMON}  exec 9<"$a/lock" && flock -n 9 || { echo "its plugins are being run"; exit; }
  [ -s "$a/mark" ] || { echo "its plugins did not come to their end"; exit; }
  had=$(cat "$a/addrs")
  [ "$(addrs)" = "$had" ] || { echo "its interface eth0 is down, or has lost its address $had"; exit; }
  checked | tr '\\n' ' '
  echo
)
while [ $# -gt 0 ]; do look "$1" "$2" "$3" 2>/dev/null; shift 3; done
`;
