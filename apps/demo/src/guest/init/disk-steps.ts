/** The steps `read`, `write` and `bench`: a disk, read and written past the page cache. */
export const DISK_STEPS = `# O_DIRECT, so that each byte comes from the disk: DISK OFFSET_MIB MIB
checksum() {
  dd if="/dev/$1" bs=1M skip="$2" count="$3" iflag=direct status=none | sha256sum | cut -d ' ' -f 1
}

# DISK OFFSET_MIB MIB
read_disk() {
  hash=$(checksum "$1" "$2" "$3")
  say "read $1 $(($2 << 20)) $(($3 << 20)) $hash"
}

# DISK OFFSET_MIB MIB
write_disk() {
  dd if=/dev/urandom of=/tmp/data bs=1M count="$3" status=none
  hash=$(sha256sum /tmp/data | cut -d ' ' -f 1)
  if dd if=/tmp/data of="/dev/$1" bs=1M seek="$2" oflag=direct conv=notrunc,fsync status=none; then
    say "wrote $1 $(($2 << 20)) $(($3 << 20)) $hash"
    echo 3 >/proc/sys/vm/drop_caches
    read_disk "$1" "$2" "$3"
  else
    say "error writing to $1 failed"
  fi
  rm /tmp/data
}

# Nanoseconds that dd takes, with starting it: DISK BLOCK_BYTES COUNT
timed_reads() {
  begin=$(now)
  dd if="/dev/$1" of=/dev/null bs="$2" count="$3" iflag=direct status=none
  echo $(($(now) - begin))
}

# DISK BLOCK_BYTES COUNT; first a quarter of it unmeasured, to warm up QEMU's translator and the device's code.
bench() {
  dd if="/dev/$1" of=/dev/null bs="$2" count="$(($3 / 4 + 1))" iflag=direct status=none
  empty=$(timed_reads "$1" "$2" 0)
  taken=$(timed_reads "$1" "$2" "$3")
  say "bench $1 $2 $(($2 * $3)) $(((taken - empty) / 1000))"
}
`;
