/** What the test guest is asked to do, and how that is written on its kernel command line. */
import { formatBdf } from '@viommu/viot';
import { CommandError } from '../command-error.ts';

const MEBIBYTE = 1 << 20;

/**
 * One step. `disk` is the guest's name of it, such as `vda`; offsets and lengths are in bytes, multiples of 1 MiB but for
 * `bench`.
 */
export type GuestStep =
  /** Kernel, PCI and virtio functions with their drivers, IOMMU groups, disks, the kernel's messages about them. */
  | { readonly step: 'report' }
  /** Reads with O_DIRECT and prints the SHA-256 of what came. */
  | {
      readonly step: 'read';
      readonly disk: string;
      readonly offset: number;
      readonly length: number;
    }
  /** Writes random bytes with O_DIRECT, flushes, then reads them back; prints the SHA-256 of both. */
  | {
      readonly step: 'write';
      readonly disk: string;
      readonly offset: number;
      readonly length: number;
    }
  /** Times `count` reads of `blockSize` bytes with O_DIRECT. */
  | {
      readonly step: 'bench';
      readonly disk: string;
      readonly blockSize: number;
      readonly count: number;
    }
  /**
   * Writes blocks of 4096 bytes one after the other, each flushed by an fsync() of its own and then told; the content of a
   * block is that of `numberedBlock`.
   */
  | { readonly step: 'numbered'; readonly disk: string; readonly count: number }
  /** Binds a function to vfio-pci, and has a program in user space drive it: the DMA engine on bus 0. */
  | { readonly step: 'vfio'; readonly bdf: number }
  /** Waits for a disk that is plugged in, or out, while the guest runs; 20 s at most. */
  | { readonly step: 'appear' | 'vanish'; readonly disk: string }
  /**
   * Brings the network up and fetches `bytes` bytes from an HTTP server while it reads `disk` over and over; prints the SHA-256
   * of what came and how much of the disk was read meanwhile.
   */
  | {
      readonly step: 'fetch';
      readonly url: string;
      readonly bytes: number;
      readonly disk: string;
    }
  /**
   * Brings the network up and times a transfer of `bytes` bytes with an HTTP server: what `url` with the number of bytes after
   * it answers with, or what is posted to `url`.
   */
  | { readonly step: 'download' | 'upload'; readonly url: string; readonly bytes: number }
  /**
   * For so many seconds, over and over: writes to `disk`, flushes and reads back; times reads of it and of `referenceDisk`; takes the driver from
   * `otherDisk`, gives its group a domain of another type, and the driver back. All the while `bytes` bytes of `url` are
   * fetched, whose SHA-256 is known.
   */
  | {
      readonly step: 'soak';
      readonly seconds: number;
      readonly disk: string;
      readonly otherDisk: string;
      readonly referenceDisk: string;
      readonly url: string;
      readonly bytes: number;
      readonly sha256: string;
    }
  /** Prints how often each of the virtio devices' interrupts came, and by what. */
  | { readonly step: 'interrupts' }
  /** Reads 64 bytes of /dev/hwrng. */
  | { readonly step: 'rng' }
  /** Restarts the machine inside the same QEMU; what follows runs in the next boot. Only on x86_64. */
  | { readonly step: 'reboot' };

/**
 * What to append to the kernel command line. The guest waits for `disks` to appear, runs the steps and powers off.
 *
 * @throws {CommandError} when a length is not a multiple of 1 MiB, or the text is too long for a kernel command line
 */
export function stepArguments(steps: readonly GuestStep[], disks: readonly string[]): string[] {
  const text = `viommu.steps=${steps.map(stepText).join(',')}`;
  // The kernel cuts its command line at 2048 bytes, without a word.
  if (text.length > 1500) throw new CommandError('too many steps for the kernel command line');
  return disks.length === 0 ? [text] : [`viommu.disks=${disks.join(',')}`, text];
}

function stepText(step: GuestStep): string {
  switch (step.step) {
    case 'read':
    case 'write':
      return `${step.step}:${step.disk}:${mebibytes(step.offset)}:${mebibytes(step.length)}`;
    case 'bench':
      return `bench:${step.disk}:${step.blockSize}:${step.count}`;
    case 'numbered':
      return `numbered:${step.disk}:${step.count}`;
    case 'soak': {
      const { seconds, disk, otherDisk, referenceDisk, bytes, sha256 } = step;
      return `soak:${seconds}:${disk}:${otherDisk}:${referenceDisk}:${escapeUrl(step.url)}:${bytes}:${sha256}`;
    }
    case 'appear':
    case 'vanish':
      return `${step.step}:${step.disk}`;
    case 'vfio':
      return `vfio:${formatBdf(step.bdf).slice('00:'.length)}`;
    case 'fetch':
      return `fetch:${escapeUrl(step.url)}:${step.bytes}:${step.disk}`;
    case 'download':
    case 'upload':
      return `${step.step}:${escapeUrl(step.url)}:${step.bytes}`;
    default:
      return step.step;
  }
}

/** What the step `numbered` writes at 4096 times `block`: lines of the number. */
export function numberedBlock(block: number): Uint8Array {
  return new Uint8Array(4096).map((_, index) =>
    `block ${block}\n`.charCodeAt(index % `block ${block}\n`.length),
  );
}

/** Without what separates steps and their parts, and what a shell would take for a pattern. */
function escapeUrl(url: string): string {
  return encodeURIComponent(url).replaceAll(
    /[!'()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16)}`,
  );
}

function mebibytes(bytes: number): number {
  if (bytes % MEBIBYTE !== 0) throw new CommandError(`${bytes} is not a multiple of 1 MiB`);
  return bytes / MEBIBYTE;
}
