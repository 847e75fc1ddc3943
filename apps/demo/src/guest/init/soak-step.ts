/** The step `soak`: disk, network, resets and new attachments, over and over for some time. */
export const SOAK_STEP = `# Fetches until the soak is over, and leaves the bytes: URL BYTES SHA256
soak_network() {
  fetched=0
  while [ ! -e /tmp/soak-over ]; do
    hash=$(wget -q -O - "$1$2" | sha256sum | cut -d ' ' -f 1)
    [ "$hash" = "$3" ] || say "error other bytes came of $1$2"
    fetched=$((fetched + $2))
    echo $fetched >/tmp/fetched-bytes
  done
}

# One MiB of random bytes, written, flushed and read back: DISK OFFSET_MIB
soak_disk() {
  dd if=/dev/urandom of=/tmp/data bs=64k count=16 status=none
  hash=$(sha256sum /tmp/data | cut -d ' ' -f 1)
  dd if=/tmp/data of="/dev/$1" bs=1M seek="$2" oflag=direct conv=notrunc,fsync status=none ||
    say "error writing to $1 failed"
  [ "$(checksum "$1" "$2" 1)" = "$hash" ] || say "error $1 has other bytes than were written"
}

# Takes the driver from a disk, which resets it, gives it a domain of another type, and the driver back: DISK TYPE SHA256
soak_attachment() {
  address=$(basename "$(dirname "$(readlink -f "/sys/block/$1/device")")")
  group=$(basename "$(readlink "/sys/bus/pci/devices/$address/iommu_group")")
  echo "$address" >/sys/bus/pci/drivers/virtio-pci/unbind
  vanish "$1"
  echo "$2" >"/sys/kernel/iommu_groups/$group/type"
  [ "$(cat "/sys/kernel/iommu_groups/$group/type")" = "$2" ] ||
    say "error group $group is not of type $2"
  echo "$address" >/sys/bus/pci/drivers/virtio-pci/bind
  appear "$1"
  [ "$(checksum "$1" 0 1)" = "$3" ] || say "error $1 has other bytes after it was attached again"
}

least() { sort -n "/tmp/$1" | head -n 1; }

# Microseconds of one read of two disks, rounded up: three runs of each by turns, and the shortest of each, since others use
# the machine as well. The start of dd counts with both: it can take longer than reads. DISK REFERENCE; sets latency and reference
measure() {
  rm -f /tmp/ours /tmp/theirs
  for _ in 1 2 3; do
    timed_reads "$1" 4096 128 >>/tmp/ours
    timed_reads "$2" 4096 128 >>/tmp/theirs
  done
  latency=$(($(least ours) / 128000 + 1))
  reference=$(($(least theirs) / 128000 + 1))
}

# SECONDS DISK OTHER_DISK REFERENCE_DISK URL BYTES SHA256
soak() {
  network || return
  rm -f /tmp/soak-over
  echo 0 >/tmp/fetched-bytes
  soak_network "$(unescape "$5")" "$6" "$7" &
  fetcher=$!
  other=$(checksum "$3" 0 1)
  end=$(($(now) + $1 * 1000000000))
  round=0
  while [ "$(now)" -lt $end ]; do
    round=$((round + 1))
    soak_disk "$2" $((round % 16))
    measure "$2" "$4"
    type=DMA
    [ $((round % 2)) -eq 1 ] && type=identity
    soak_attachment "$3" $type "$other"
    say "soaked $round $latency $reference $(cat /tmp/fetched-bytes)"
  done
  : >/tmp/soak-over
  wait $fetcher
}
`;
