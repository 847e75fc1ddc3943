/** What the guest benchmark compares: which steps a guest runs for it, and where in its report the values are. */
import type { GuestBoot } from '../guest/guest-report.ts';
import type { GuestStep } from '../guest/guest-steps.ts';
import type { Comparison } from './figures.ts';

/** What one boot can be asked for with the option `--only`. */
export const PARTS = ['disk', 'strict', 'network', 'boot'] as const;
export type Part = (typeof PARTS)[number];

/** A comparison, and how a boot's report answers it. */
export interface GuestComparison extends Comparison {
  readonly part: Part;
  /** @returns undefined when the guest did not get that far */
  value(boot: GuestBoot): number | undefined;
}

/** Enough of each for some tenths of a second, beside which what dd's start varies by is little. */
const READS = [
  { text: '1 MiB', blockSize: 1 << 20, count: 128, target: 1 },
  { text: '64 KiB', blockSize: 64 << 10, count: 512, target: 0.8 },
  { text: '4 KiB', blockSize: 4 << 10, count: 2048, target: 0.8 },
] as const;
/** What the kernel waits for at each UNMAP costs QEMU's own devices as well, and ours more. */
const STRICT_TARGET = 0.8;
export const DISK_BYTES = 128 << 20;
export const DOWNLOAD_BYTES = 16 << 20;
const UPLOAD_BYTES = 4 << 20;

const READ_STEPS: readonly GuestStep[] = READS.map(({ blockSize, count }) => ({
  step: 'bench',
  disk: 'vda',
  blockSize,
  count,
}));

/** @param url of the server that takes part in transfers */
export function stepsOf(part: Part, url: string): readonly GuestStep[] {
  switch (part) {
    case 'disk':
    case 'strict':
      return READ_STEPS;
    case 'network':
      return [
        { step: 'download', url, bytes: DOWNLOAD_BYTES },
        { step: 'upload', url, bytes: UPLOAD_BYTES },
      ];
    case 'boot':
      return [];
  }
}

export const COMPARISONS: readonly GuestComparison[] = [
  ...READS.map(({ text, blockSize, target }) =>
    reads('disk', `O_DIRECT reads of ${text}`, blockSize, target),
  ),
  ...READS.map(({ text, blockSize }) =>
    reads('strict', `the same, iommu.strict=1: ${text}`, blockSize, STRICT_TARGET),
  ),
  transfer('download', 0.7),
  transfer('upload'),
  {
    ...{ part: 'boot', name: 'boot: kernel to init', unit: 's', target: 1.1 },
    value: ({ initSeconds }) => initSeconds,
  },
  {
    ...{ part: 'boot', name: 'boot: kernel to the disk', unit: 's' },
    value: ({ upSeconds }) => upSeconds,
  },
];

function reads(
  part: 'disk' | 'strict',
  name: string,
  blockSize: number,
  target: number,
): GuestComparison {
  return {
    ...{ part, name, unit: 'MB/s', target },
    value: ({ timings }) => megabytesPerSecond(timings.find((one) => one.blockSize === blockSize)),
  };
}

function transfer(direction: 'download' | 'upload', target?: number): GuestComparison {
  return {
    ...{ part: 'network', name: `network: ${direction}`, unit: 'MB/s' },
    ...(target === undefined ? {} : { target }),
    value: ({ transfers }) =>
      megabytesPerSecond(transfers.find((one) => one.direction === direction)),
  };
}

function megabytesPerSecond(
  timing: { readonly bytes: number; readonly seconds: number } | undefined,
): number | undefined {
  return timing && timing.bytes / timing.seconds / 1e6;
}
