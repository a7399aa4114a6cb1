/**
 * A shell loop that calls the plugins bridge (with masquerade), portmap and firewall for pods, eight at a
 * time: each one's address and port are as the pods of the benchmark have them.
 *
 * Arguments: folder, number of pods. Each adds, then deletes in the order that leaves nothing.
 */
export const CNI_LOOP = `set -e
d=$1 n=$2
export CNI_PATH=/usr/lib/cni CNI_IFNAME=eth0 PATH=/usr/sbin:/usr/bin:/sbin:/bin
cat >$d/pod.sh <<'END'
d=$1 i=$2 what=$3
f=$d/ns$i
export CNI_CONTAINERID=bench$i CNI_NETNS=$f CNI_COMMAND=$what
conf() {
  printf '{"cniVersion":"0.4.0","name":"bench","type":"%s",%s%s' "$1" "$2" "$3"
  printf ',"runtimeConfig":{"portMappings":[{"hostPort":%d,"containerPort":8080,"protocol":"tcp"}]}}' $((20000 + i))
}
bridge='"bridge":"cnib0","isGateway":true,"ipMasq":true,"hairpinMode":true,"ipam":{"type":"host-local","subnet":"10.99.0.0/16","dataDir":"'$d'/ipam"}'
call() {
  prev=
  [ ! -s $d/result$i ] || prev=",\\"prevResult\\":$(cat $d/result$i)"
  conf "$1" "$2" "$prev" | /usr/lib/cni/$1 >$d/out$i
}
if [ $what = ADD ]; then
  : >$f; unshare --net=$f ip link set lo up
  for step in bridge portmap firewall; do
    case $step in bridge) rest=$bridge ;; portmap) rest='"capabilities":{"portMappings":true},"snat":true' ;; *) rest='"backend":"iptables"' ;; esac
    call $step "$rest"; mv $d/out$i $d/result$i
  done
else
  call firewall '"backend":"iptables"'; call portmap '"capabilities":{"portMappings":true},"snat":true'; call bridge "$bridge"
  umount $f; rm -f $f $d/result$i
fi
END
seq $n | xargs -P8 -I% sh -e $d/pod.sh $d % $3
`;
