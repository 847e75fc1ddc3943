/** The step `numbered`: blocks that are flushed one by one, and told one by one. */
export const NUMBERED_STEP = `# DISK COUNT
numbered() {
  block=0
  while [ $block -lt "$2" ]; do
    yes "block $block" | head -c 4096 >/tmp/block
    if ! dd if=/tmp/block of="/dev/$1" bs=4096 seek=$block oflag=direct conv=notrunc,fsync status=none; then
      say "error block $block of $1 is not written"
      return
    fi
    say "flushed $1 $block"
    block=$((block + 1))
  done
}
`;
