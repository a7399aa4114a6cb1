/** Number of arguments of a pod in {@link ATTACH}. */
export const ATTACH_ARGUMENTS = 8;

/**
 * Makes the network namespaces of pods, unless they are there, and puts their interfaces on the bridge. Each part is
 * looked at before it is made; the interface's alias is written last and tells a finished one.
 *
 * Arguments, of each pod: namespace file, what is known of it (that it is `held`, a process whose it is, or nothing),
 * name on the host, and, where the pod is to have an address: bridge, address, bits, gateway, hardware
 * address.
 */
export const ATTACH = `set -e; umask 077
attach() (
f=$1 pid=$2 v=$3 b=$4 ip=$5 bits=$6 gw=$7 mac=$8
[ "$pid" = held ] || mkdir -p "\${f%/*}"
[ "$pid" = held ] || mountpoint -q "$f" || {
  : >>"$f"
  if [ -n "$pid" ]; then mount --bind "/proc/$pid/ns/net" "$f"
  else unshare --net="$f" ip link set lo up; fi
}
[ -n "$b" ] || exit 0
have=$(ip -o link show dev "$v" 2>/dev/null || :)
case "$have " in
*"alias $ip "*) case "$have" in
  *",UP"*" master $b "*) exit 0 ;;
  esac ;;
*)
  [ -z "$have" ] || ip link del dev "$v"
  nsenter --net="$f" ip -batch - <<END
link set lo up
link add eth0 address $mac type veth peer name $v netns /proc/$$/ns/net
addr add $ip/$bits dev eth0
link set eth0 up
route add default via $gw
END
esac
ip -batch - <<END
link set dev $v master $b
link set dev $v type bridge_slave hairpin on
link set dev $v up
link set dev $v alias $ip
END
)
while [ $# -gt 0 ]; do attach "$@"; shift ${ATTACH_ARGUMENTS}; done
`;

/** Takes interfaces away. Arguments: their names on the host. */
export const DETACH = `for v; do
  ! ip link show dev "$v" >/dev/null 2>&1 || ip link del dev "$v" || exit
done`;

/** Takes interfaces and network namespaces of pods away. Arguments, of each: name on the host, namespace file. */
export const DROP = `while [ $# -gt 0 ]; do
  ! ip link show dev "$1" >/dev/null 2>&1 || ip link del dev "$1" || exit
  while umount "$2" 2>/dev/null; do :; done
  rm -f "$2" || exit
  shift 2
done`;

/**
 * Makes a network's bridge and files what they are to be, then its rules, which come on stdin. Files are
 * written in place, since running containers have them mounted.
 *
 * Arguments: directory, bridge, gateway, bits, hardware address, whether packets are to be forwarded, and
 * whether the bridge has to be read. The texts are in the environment.
 */
export const SYNC = `set -e; umask 022
d=$1 b=$2 gw=$3 bits=$4 mac=$5 forward=$6 look=$7
put() {
  [ -e "$1" ] || : >"$1"
  printf '%s' "$2" 1<>"$1"
  truncate -s "$3" "$1"
}
put "$d/hosts" "$STW_HOSTS" "$STW_HOSTS_BYTES"
if [ -n "$look" ]; then
  put "$d/resolv.conf" "$STW_RESOLV" "$STW_RESOLV_BYTES"
  ip link show dev "$b" >/dev/null 2>&1 || ip link add "$b" address "$mac" type bridge
  ip -batch - <<END
addr replace $gw/$bits dev $b
link set dev $b up
END
  echo 1 >"/proc/sys/net/ipv4/conf/$b/route_localnet"
  [ -z "$forward" ] || [ "$(cat /proc/sys/net/ipv4/ip_forward)" = 1 ] || echo 1 >/proc/sys/net/ipv4/ip_forward
fi
exec iptables-restore --noflush -w 10
`;

/** What of the host's network is read, in one program: parts are distinguished by their first lines. */
export const LOOK = `echo "# forward"; cat /proc/sys/net/ipv4/ip_forward
echo "# links"; ip -j addr show
echo "# routes"; ip -j -4 route show
echo "# rules"; ! command -v iptables-save >/dev/null || iptables-save || { [ "$1" ] && [ "$(id -u)" != 0 ]; }
`;
