/** Where the cgroup hierarchies of the machine are mounted. */
const CGROUPS = "/sys/fs/cgroup";

/** Joins the cgroups of a host, in every hierarchy, then becomes what follows: `sh -c JOIN sh NAME COMMAND…`. */
export const JOIN = `set -e
n=$1; shift
for c in ${CGROUPS}/*/; do
  [ -e "$c/cgroup.procs" ] || continue
  d="$c$n"
  if [ ! -d "$d" ]; then
    mkdir -p "$d"
    # a new cpuset has no processor, and takes nobody
    for f in cpuset.cpus cpuset.mems; do [ ! -e "$d/$f" ] || cat "$c/$f" >"$d/$f"; done
  fi
  echo $$ >"$d/cgroup.procs"
done
if [ -e ${CGROUPS}/cgroup.controllers ]; then
  d=${CGROUPS}/$n
  mkdir -p "$d/init"
  echo $$ >"$d/init/cgroup.procs"
fi
exec "$@"`;

/** Removes the cgroups of a host that has ended: `sh -c LEAVE sh NAME`. */
export const LEAVE = `for d in ${CGROUPS}/*/"$1" ${CGROUPS}/"$1"; do
  [ ! -d "$d" ] || find "$d" -depth -type d -exec rmdir {} + 2>/dev/null
done
for d in ${CGROUPS}/*/"$1" ${CGROUPS}/"$1"; do [ ! -d "$d" ] || exit 1; done`;

/**
 * The first process of a host, in new namespaces: makes its file system, and becomes what reaps
 * orphans and ends with its input, so that the host goes with whoever started it: `sh -c INIT sh FOLDER NAME BOOT_ID`.
 *
 * The root is the machine's own with a layer above it; /run and /tmp are of this boot, /var/lib and root's home,
 * which has nothing of the machine's, outlive it.
 */
export const INIT = `set -e
h=$1; name=$2; boot=$3; r=$h/root
mkdir -p $h/upper $h/work $r $h/var-lib
mkdir -p -m 700 $h/home
mount -t overlay overlay -o lowerdir=/,upperdir=$h/upper,workdir=$h/work $r
# programs of another version may be laid over the machine's own, which a layer below does not show
! mountpoint -q /usr || mount --bind /usr $r/usr
mount -t proc proc $r/proc
mount -t sysfs sysfs $r/sys
mount --rbind /dev $r/dev
mount -t tmpfs tmpfs $r/dev/shm
for d in run tmp; do mount -t tmpfs -o mode=1777 tmpfs $r/$d; done
chmod 755 $r/run
mount --bind $h/var-lib $r/var/lib
mount --bind $h/home $r/root
if [ -e ${CGROUPS}/cgroup.controllers ]; then mount -t cgroup2 cgroup2 $r${CGROUPS}
else
  mount -t tmpfs -o mode=755 tmpfs $r${CGROUPS}
  for c in ${CGROUPS}/*/; do
    c=$(basename $c); mkdir $r${CGROUPS}/$c
    case $c in
      systemd) mount -t cgroup -o none,name=systemd cgroup $r${CGROUPS}/$c ;;
      unified) mount -t cgroup2 cgroup2 $r${CGROUPS}/$c ;;
      *) mount -t cgroup -o $c cgroup $r${CGROUPS}/$c ;;
    esac
  done
fi
printf '%s\\n' $boot >$r/run/boot-id
mount --bind $r/run/boot-id $r/proc/sys/kernel/random/boot_id
mkdir -p $r/.machine
cd $r
pivot_root . .machine
umount -l /.machine
hostname $name
printf '127.0.0.1 localhost\\n127.0.1.1 %s\\n' $name >/etc/hosts
ip link set lo up
exec perl -e '$SIG{CHLD} = "IGNORE"; $| = 1; print "ready\\n"; 1 while sysread STDIN, my $b, 4096'`;

/** Keeps the disks of hosts, in a mount namespace of its own, as long as its input is open. */
export const KEEPER = `echo ready; exec cat`;
