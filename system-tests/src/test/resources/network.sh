#!/usr/bin/env bash
# network.sh DIR COMMAND…: runs a command in a network of its own (unshare -nmu) whose only way out is a cable that counts, with a
# name server out there; what was counted is in DIR/dev and DIR/snmp at the end.
set -e
ip link set lo up
echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6
ip link add out0 type veth peer name out1
ip addr add 198.51.100.1/24 dev out0
ip link set out1 up
ip link set out0 arp off up
ip route add default via 198.51.100.2 dev out0
echo 'nameserver 198.51.100.3' > "$1/resolv.conf"
mount --bind "$1/resolv.conf" /etc/resolv.conf
printf '127.0.0.1 localhost\n127.0.1.1 thishost\n' > "$1/hosts"
mount --bind "$1/hosts" /etc/hosts
hostname thishost
"${@:2}" &
child=$!
trap 'kill -TERM $child' TERM
wait $child || true
wait $child || code=$?
cat /proc/net/dev > "$1/dev"
cat /proc/net/snmp > "$1/snmp"
exit ${code:-0}
