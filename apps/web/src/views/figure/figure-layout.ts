/** Where everything is in the figure of a device that is passed through twice, in units of its drawing. */
import type { FigureMoment } from '../../replay/replay-messages.ts';

export type Step = FigureMoment['step'];

export interface FigureBox {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly lines: readonly string[];
  /** The steps that it takes part in. */
  readonly steps: readonly Step[];
  /** Whether an access that is refused does not come there. */
  readonly isBehindIommu?: boolean;
}

export interface FigureArrow {
  readonly step: Step;
  /** An access that is refused ends with the first one. */
  readonly paths: readonly string[];
  /** Where its name is. */
  readonly label: readonly [x: number, y: number];
}

export const SIZE = { width: 900, height: 372 } as const;
export const BOX_HEIGHT = 46;

/** Rows: hardware, drivers of the kernels, VFIO of the kernels, user space. */
const [HARDWARE, DRIVERS, VFIO, USER] = [14, 118, 200, 312];
const [MEMORY_X, HOST_X, GUEST_X, DEVICE_X] = [96, 276, 528, 722];

export const BOXES: readonly FigureBox[] = [
  { x: MEMORY_X, y: HARDWARE, width: 104, lines: ['memory'], steps: ['2b'], isBehindIommu: true },
  { x: HOST_X, y: HARDWARE, width: 164, lines: ['physical IOMMU'], steps: ['1c', '2b'] },
  {
    x: DEVICE_X,
    y: HARDWARE,
    width: 164,
    lines: ['PCI device', 'DMA engine'],
    steps: ['2a', '2b'],
  },
  { x: HOST_X, y: DRIVERS, width: 164, lines: ['host IOMMU driver'], steps: ['1c'] },
  { x: HOST_X, y: VFIO, width: 164, lines: ['host VFIO'], steps: ['1c'] },
  { x: GUEST_X, y: DRIVERS, width: 164, lines: ['virtio-iommu driver'], steps: ['1b'] },
  { x: GUEST_X, y: VFIO, width: 164, lines: ['guest VFIO'], steps: ['1a', '1b'] },
  {
    x: HOST_X,
    y: USER,
    width: 164,
    lines: ['virtio-iommu device', 'in the VMM'],
    steps: ['1b', '1c'],
  },
  {
    x: GUEST_X,
    y: USER,
    width: 164,
    lines: ['driver', 'in guest user space'],
    steps: ['1a', '2a'],
  },
];

const HOST_MIDDLE = HOST_X + 82;
const GUEST_MIDDLE = GUEST_X + 82;
const DEVICE_MIDDLE = DEVICE_X + 82;
const BETWEEN = (HOST_X + 164 + GUEST_X) / 2;
const middle = (row: number): number => row + BOX_HEIGHT / 2;

export const ARROWS: readonly FigureArrow[] = [
  {
    step: '1a',
    paths: [`M${GUEST_MIDDLE} ${USER} V${VFIO + BOX_HEIGHT}`],
    label: [GUEST_MIDDLE, (USER + VFIO + BOX_HEIGHT) / 2],
  },
  {
    step: '1b',
    paths: [
      `M${GUEST_MIDDLE} ${VFIO} V${DRIVERS + BOX_HEIGHT}`,
      `M${GUEST_X} ${middle(DRIVERS)} H${BETWEEN} V${middle(USER)} H${HOST_X + 164}`,
    ],
    label: [BETWEEN, middle(VFIO)],
  },
  {
    step: '1c',
    paths: [
      `M${HOST_MIDDLE} ${USER} V${VFIO + BOX_HEIGHT}`,
      `M${HOST_MIDDLE} ${VFIO} V${DRIVERS + BOX_HEIGHT}`,
      `M${HOST_MIDDLE} ${DRIVERS} V${HARDWARE + BOX_HEIGHT}`,
    ],
    label: [HOST_MIDDLE, (USER + VFIO + BOX_HEIGHT) / 2],
  },
  {
    step: '2a',
    paths: [`M${GUEST_X + 164} ${middle(USER)} H${DEVICE_MIDDLE} V${HARDWARE + BOX_HEIGHT}`],
    label: [DEVICE_MIDDLE, middle(VFIO)],
  },
  {
    step: '2b',
    paths: [
      `M${DEVICE_X} ${middle(HARDWARE)} H${HOST_X + 164}`,
      `M${HOST_X} ${middle(HARDWARE)} H${MEMORY_X + 104}`,
    ],
    label: [BETWEEN, middle(HARDWARE)],
  },
];

/** A name at the left, and a line below the row; none below the last one. */
export const BANDS: readonly {
  readonly name: string;
  readonly y: number;
  readonly line?: number;
}[] = [
  { name: 'hardware', y: middle(HARDWARE), line: 89 },
  { name: 'kernels', y: (DRIVERS + VFIO + BOX_HEIGHT) / 2, line: 279 },
  { name: 'user space', y: middle(USER) },
];

/** Between what is the host's and what is the guest's. */
export const BORDER = {
  x: BETWEEN,
  top: 89,
  hostX: HOST_X,
  guestX: GUEST_X,
  y: 106,
} as const;

/** In the order in which they first happen. */
export const STEPS: readonly { readonly step: Step; readonly title: string }[] = [
  { step: '1a', title: 'guest user space maps a buffer with the guest\u2019s VFIO' },
  { step: '1b', title: 'the virtio-iommu driver relays it as MAP requests' },
  {
    step: '1c',
    title: 'the virtio-iommu device relays it to the physical IOMMU, through the host\u2019s VFIO',
  },
  { step: '2a', title: 'guest user space tells the device to access the buffer' },
  { step: '2b', title: 'the physical IOMMU translates each access' },
];
