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
  /** What the device is known to do with a broken ring; what the standard allows is taken when it is left out. */
  readonly onBrokenRing?: BrokenRing;
}

export interface DeviceRingOptions {
  readonly split?: CaseOptions;
  /** Cases of packed virtqueues are skipped when the device does not offer VIRTIO_F_RING_PACKED. */
  readonly packed?: CaseOptions;
}

export function deviceRingSuite(
  name: string,
  { create, harmlessRequest, onBrokenRing }: DeviceRingSubject,
  options: DeviceRingOptions = {},
): void {
  const setting = (packed: boolean) => () =>
    new RingSetting(create(), harmlessRequest, packed, onBrokenRing);
  const common = [...workingCases, ...brokenCases];
  registerCases(
    `rings of ${name}, split`,
    [...common, ...splitCases],
    setting(false),
    options.split,
  );
  registerCases(
    `rings of ${name}, packed`,
    [...common, ...packedCases].map(ifPacked),
    setting(true),
    options.packed,
  );
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
