/** What one can try on the guest by a click: what is typed into its terminal, or what is done to its IOMMU. */
import type { GuestSession } from './guest-session.ts';

export interface Experiment {
  /** In the page's document. */
  readonly id: string;
  readonly label: string;
  /** What it does, and what is to be seen of it. */
  readonly explanation: string;
  readonly run: (guest: GuestSession) => void;
}

/** Mappings that are left when the guest is to get to the end of them. */
const FEW_MAPPINGS = 64;
/** Four reads of 1 MiB at the same time. */
const MANY_READS =
  'for n in 0 1 2 3; do dd if=/dev/vda of=/dev/null bs=1M count=1 skip=$n iflag=direct & done';

/** @param command a line; what the guest's shell may have of another is cleared first */
function typed(command: string): Experiment['run'] {
  return (guest) => guest.type(`\u0015${command}\n`);
}

export const EXPERIMENTS: readonly Experiment[] = [
  {
    id: 'try-read',
    label: 'Read a file',
    explanation: 'the disk writes into pages that are mapped, and unmapped, for just this',
    run: typed('echo 3 >/proc/sys/vm/drop_caches; cat /disk/letter.txt'),
  },
  {
    id: 'try-write',
    label: 'Write a file',
    explanation: 'the disk reads 1 MiB of the guest’s memory',
    run: typed('dd if=/dev/urandom of=/disk/data bs=64k count=16 conv=fsync'),
  },
  {
    id: 'try-random',
    label: 'Random bytes',
    explanation: 'the rng writes where it may, and could reach nothing else',
    run: typed('head -c 16 /dev/hwrng | hexdump -C'),
  },
  {
    id: 'try-bypass',
    label: 'Bypass',
    explanation: 'the rng’s group gets a domain of type identity: it reaches all there is',
    run: typed('bypass rng'),
  },
  {
    id: 'try-translate',
    label: 'Translate again',
    explanation: 'the rng’s group gets a domain of type DMA',
    run: typed('translate rng'),
  },
  {
    id: 'try-move',
    label: 'Move',
    explanation: 'the rng’s endpoint leaves its domain for a new one',
    run: typed('move rng'),
  },
  {
    id: 'try-fill',
    label: 'Until NOMEM',
    explanation: `${FEW_MAPPINGS} more mappings and no more, and four reads: this Linux takes no notice, so accesses fault, and some of it never ends`,
    run: (guest) => {
      guest.limit(FEW_MAPPINGS);
      typed(MANY_READS)(guest);
    },
  },
  {
    id: 'try-lift',
    label: 'Lift the limit',
    explanation: 'what comes from now on is mapped again',
    run: (guest) => guest.limit(undefined),
  },
];
