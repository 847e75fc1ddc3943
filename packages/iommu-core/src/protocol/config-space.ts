/** The device-specific configuration as bytes ("Device configuration layout"). */
import type { AccessWidth } from '@viommu/virtqueue/device';
import type { IommuLimits } from '../state/iommu-state.ts';
import type { ConfigExtension } from './config-extension.ts';
import {
  CONFIG_BYPASS,
  CONFIG_DOMAIN_RANGE_END,
  CONFIG_DOMAIN_RANGE_START,
  CONFIG_INPUT_RANGE_END,
  CONFIG_INPUT_RANGE_START,
  CONFIG_PAGE_SIZE_MASK,
  CONFIG_PROBE_SIZE,
  CONFIG_SIZE,
} from './layout.ts';

export class ConfigSpace {
  /** In bytes. */
  readonly size: number;
  readonly #view: DataView;

  constructor(pageSizeMask: bigint, limits: IommuLimits, extension?: ConfigExtension) {
    this.size = extension === undefined ? CONFIG_SIZE : extension.offset + extension.bytes.length;
    const bytes = new Uint8Array(this.size);
    if (extension !== undefined) bytes.set(extension.bytes, extension.offset);
    this.#view = new DataView(bytes.buffer);
    const view = this.#view;
    view.setBigUint64(CONFIG_PAGE_SIZE_MASK, pageSizeMask, true);
    view.setBigUint64(CONFIG_INPUT_RANGE_START, BigInt(limits.inputRange.start), true);
    view.setBigUint64(CONFIG_INPUT_RANGE_END, BigInt(limits.inputRange.end), true);
    view.setUint32(CONFIG_DOMAIN_RANGE_START, limits.domainRange.start, true);
    view.setUint32(CONFIG_DOMAIN_RANGE_END, limits.domainRange.end, true);
    view.setUint32(CONFIG_PROBE_SIZE, limits.probeSize, true);
  }

  /** @param bypass what unattached endpoints may do right now */
  read(offset: number, width: AccessWidth, bypass: boolean): number {
    // The device MUST NOT present a value different than 0 or 1 in bypass.
    this.#view.setUint8(CONFIG_BYPASS, bypass ? 1 : 0);
    switch (width) {
      case 1:
        return this.#view.getUint8(offset);
      case 2:
        return this.#view.getUint16(offset, true);
      default:
        return this.#view.getUint32(offset, true);
    }
  }
}
