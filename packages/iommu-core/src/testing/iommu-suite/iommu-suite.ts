/** iommuSuite: what any virtio-iommu does, seen from outside: the cases of its peers, and those that nobody had. */
import { type CaseOptions, registerCases } from '@viommu/virtqueue/testing';
import { attachCases } from './attach-cases.ts';
import { deviceCases } from './device-cases.ts';
import { faultCases } from './fault-cases.ts';
import { framingCases } from './framing-cases.ts';
import type { IommuCase } from './iommu-case.ts';
import { IommuSetting } from './iommu-setting.ts';
import type { IommuUnderTest } from './iommu-under-test.ts';
import { mapCases } from './map-cases.ts';
import { qemuCases } from './qemu-cases.ts';
import { translationCases } from './translation-cases.ts';
import { unmapCases } from './unmap-cases.ts';

const CASES: readonly IommuCase[] = [
  ...qemuCases,
  ...translationCases,
  ...framingCases,
  ...deviceCases,
  ...attachCases,
  ...mapCases,
  ...unmapCases,
  ...faultCases,
];

export interface IommuSubject {
  /** Gives a device as after power-on; called for each case. */
  readonly create: () => IommuUnderTest;
  /** Whether its driver accepts VIRTIO_F_RING_PACKED; false by default. */
  readonly packed?: boolean;
}

/** @param options which cases are left out, and which depart: see CaseOptions */
export function iommuSuite(
  name: string,
  { create, packed = false }: IommuSubject,
  options?: CaseOptions,
): void {
  const createSetting = (): IommuSetting => {
    const device = create();
    try {
      return new IommuSetting(device, packed);
    } catch (error) {
      device.close?.();
      throw error;
    }
  };
  registerCases(`IOMMU: ${name}`, CASES, createSetting, options);
}
