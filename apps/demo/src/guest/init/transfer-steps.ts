/** The steps `download` and `upload`: how fast the network is. */
export const TRANSFER_STEPS = `# Seconds are not enough: WORD BYTES BEGIN
transferred() { say "$1 $2 $((($(now) - $3) / 1000))"; }

# URL of a server that answers with as many bytes as its path says, BYTES; first a quarter of it unmeasured, to warm up.
download() {
  network || return
  url=$(unescape "$1")
  wget -q -O /dev/null "$url$(($2 / 4))"
  begin=$(now)
  if wget -q -O /dev/null "$url$2"; then transferred downloaded "$2" "$begin"; else say "error not all of $url came"; fi
}

# The server answers when it has all: URL FILE
send() { wget -q -O /dev/null --post-file="$2" "$1"; }

# URL BYTES. No byte is 0, at which busybox's wget would end.
upload() {
  network || return
  url=$(unescape "$1")
  head -c "$2" /dev/zero | tr '\\0' x >/tmp/upload
  head -c "$(($2 / 4))" /tmp/upload >/tmp/warm-up
  send "$url" /tmp/warm-up
  begin=$(now)
  if send "$url" /tmp/upload; then transferred uploaded "$2" "$begin"; else say "error $url did not take it"; fi
  rm /tmp/upload /tmp/warm-up
}
`;
