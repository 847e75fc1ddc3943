/** The step `fetch`: the network and a disk at the same time. */
export const FETCH_STEP = `# With percent signs for what a step cannot hold: URL
unescape() { printf %b "$(echo "$1" | sed 's/%/\\\\x/g')"; }

# What udhcpc calls with the lease in its environment; \`mask\` is the length of the prefix.
cat >/tmp/lease <<'END'
#!/bin/sh
[ "$1" = bound ] || exit 0
ip addr add "$ip/$mask" dev "$interface"
ip route add default via "$router" dev "$interface"
END
chmod +x /tmp/lease

# Brings the network up once, with the first address that is offered.
network() {
  [ -e /tmp/network ] && return
  # Its driver may still wait for the IOMMU's.
  tries=0
  while [ ! -e /sys/class/net/eth0 ] && [ $tries -lt 200 ]; do
    tries=$((tries + 1))
    sleep 0.1
  done
  if ! ip link set eth0 up; then
    say "error there is no eth0: no virtio-net, or no driver for it"
    return 1
  fi
  if ! udhcpc -i eth0 -f -n -q -t 20 -T 1 -s /tmp/lease >/dev/null; then
    say "error nothing offers eth0 an address"
    return 1
  fi
  : >/tmp/network
  say "network eth0 $(ip -4 -o addr show dev eth0 | awk '{ print $4 }') $(cat /sys/class/net/eth0/address)"
}

# Reads the disk over and over, 1 MiB at a time, until the other side of the race is over; leaves the bytes: DISK
read_meanwhile() {
  mebibytes=$(($(cat "/sys/block/$1/size") >> 11))
  count=0
  while [ ! -e /tmp/fetched ]; do
    dd if="/dev/$1" of=/dev/null bs=1M count=1 skip=$((count % mebibytes)) iflag=direct status=none || break
    count=$((count + 1))
  done
  echo $((count << 20)) >/tmp/meanwhile
}

# URL BYTES DISK. What comes goes through pipes, so that it costs no memory.
fetch() {
  network || return
  url=$(unescape "$1")
  rm -f /tmp/fetched /tmp/copy
  mkfifo /tmp/copy
  read_meanwhile "$3" &
  reader=$!
  wc -c </tmp/copy >/tmp/length &
  counter=$!
  begin=$(now)
  hash=$(wget -q -O - "$url" | tee /tmp/copy | sha256sum | cut -d ' ' -f 1)
  taken=$((($(now) - begin) / 1000))
  : >/tmp/fetched
  wait $reader $counter
  length=$(($(cat /tmp/length)))
  say "fetched $1 $length $hash $taken $3 $(cat /tmp/meanwhile)"
  [ "$length" -eq "$2" ] || say "error $length bytes came of $url, not $2"
}
`;
