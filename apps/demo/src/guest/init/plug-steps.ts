/** The steps `appear` and `vanish`: a disk that is plugged in or out while the guest runs. */
export const PLUG_STEPS = `# Until a command succeeds: COMPLAINT COMMAND...
await() {
  complaint=$1
  shift
  tries=0
  until "$@"; do
    tries=$((tries + 1))
    if [ $tries -gt 200 ]; then
      say "error $complaint within 20 s"
      break
    fi
    sleep 0.1
  done
}

appear() { await "/dev/$1 did not appear" test -b "/dev/$1"; }
vanish() { await "/dev/$1 did not go" test ! -b "/dev/$1"; }
`;
