/** deviceRingSuite: how any virtio device treats its rings, seen from outside: in order, broken and hostile. */
import { VIRTIO_F_RING_PACKED } from '../../device/constants.ts';
import type { DeviceUnderTest } from '../device-under-test.ts';
import { registerCases } from '../register-cases.ts';
import type { CaseOptions, SuiteCase } from '../suite-case.ts';
import { brokenCases } from './broken-cases.ts';
import type { HarmlessRequest } from './harmless-request.ts';
import { packedCases } from './packed-cases.ts';
import { type BrokenRing, RingSetting } from './ring-setting.ts';
import { splitCases } from './split-cases.ts';
import { workingCases } from './working-cases.ts';

export interface DeviceRingSubject {
  /** Gives a device as after power-on; called for each case. */
  readonly create: () => DeviceUnderTest;
  readonly harmlessRequest: HarmlessRequest;
  /** Both by default; cases of packed virtqueues are skipped when the device does not offer VIRTIO_F_RING_PACKED. */
  readonly layouts?: readonly RingLayout[];
  /** What the device is known to do with a broken ring; what the standard allows is taken when it is left out. */
  readonly onBrokenRing?: BrokenRing;
}

export type RingLayout = 'split' | 'packed';
/** Which cases are left out, and which depart: see CaseOptions. */
export type DeviceRingOptions = Partial<Readonly<Record<RingLayout, CaseOptions>>>;

const COMMON = [...workingCases, ...brokenCases];
const CASES: Readonly<Record<RingLayout, readonly SuiteCase<RingSetting>[]>> = {
  split: [...COMMON, ...splitCases],
  packed: [...COMMON, ...packedCases].map(ifPacked),
};

export function deviceRingSuite(
  name: string,
  { create, harmlessRequest, onBrokenRing, layouts = ['split', 'packed'] }: DeviceRingSubject,
  options: DeviceRingOptions = {},
): void {
  for (const layout of layouts) {
    registerCases(
      `rings of ${name}, ${layout}`,
      CASES[layout],
      () => new RingSetting(create(), harmlessRequest, layout === 'packed', onBrokenRing),
      options[layout],
    );
  }
}

function ifPacked(each: SuiteCase<RingSetting>): SuiteCase<RingSetting> {
  return {
    ...each,
    needs: (setting) =>
      setting.offers(VIRTIO_F_RING_PACKED)
        ? each.needs?.(setting)
        : 'the device does not offer VIRTIO_F_RING_PACKED',
  };
}
