/** IommuCase: one case of iommuSuite, and what a case can need of a device. */
import type { SuiteCase } from '@viommu/virtqueue/testing';
import type { IommuSetting } from './iommu-setting.ts';
import type { FEATURE } from './wire.ts';

export type IommuCase = SuiteCase<IommuSetting>;
type Need = (setting: IommuSetting) => string | undefined;

/** The first of these needs that is not met. */
export const all =
  (...needs: readonly Need[]): Need =>
  (setting) => {
    for (const need of needs) {
      const missing = need(setting);
      if (missing !== undefined) return missing;
    }
    return undefined;
  };

export const feature =
  (name: keyof typeof FEATURE): Need =>
  (setting) =>
    setting.has(name) ? undefined : `the device does not offer VIRTIO_IOMMU_F_${name}`;

export const dma: Need = ({ device }) =>
  device.dma === undefined ? 'the adapter lets no endpoint do DMA' : undefined;

export const dmaRead: Need = ({ device }) =>
  device.dma?.read === undefined ? 'the adapter does not see what an endpoint reads' : undefined;

/** DMA of an endpoint in no domain can be told apart from one that bypasses. */
export const blocking: Need = all(dma, feature('BYPASS_CONFIG'));

export const pages: Need = ({ unit }) =>
  unit === 1 ? 'the granule of the device is a byte' : undefined;

export const singleBytes: Need = ({ unit }) =>
  unit === 1 ? undefined : 'the granule of the device is more than a byte';

export const notification: Need = ({ device }) =>
  device.takeInterrupt === undefined ? 'the adapter sees no interrupts' : undefined;
