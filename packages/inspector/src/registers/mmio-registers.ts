/** Registers of a virtio-mmio window ("MMIO Device Register Layout"). */
import type { NamedRegister } from './named-register.ts';

/** Bytes from one window to the next. */
export const MMIO_WINDOW = 0x1000;
/** Where the device-specific configuration begins. */
export const MMIO_CONFIG = 0x100;

export const MMIO_REGISTERS: readonly NamedRegister[] = [
  [0x00, 4, 'MagicValue'],
  [0x04, 4, 'Version'],
  [0x08, 4, 'DeviceID'],
  [0x0c, 4, 'VendorID'],
  [0x10, 4, 'DeviceFeatures'],
  [0x14, 4, 'DeviceFeaturesSel'],
  [0x20, 4, 'DriverFeatures'],
  [0x24, 4, 'DriverFeaturesSel'],
  [0x30, 4, 'QueueSel'],
  [0x34, 4, 'QueueSizeMax'],
  [0x38, 4, 'QueueSize'],
  [0x44, 4, 'QueueReady'],
  [0x50, 4, 'QueueNotify'],
  [0x60, 4, 'InterruptStatus'],
  [0x64, 4, 'InterruptACK'],
  [0x70, 4, 'Status'],
  [0x80, 4, 'QueueDescLow'],
  [0x84, 4, 'QueueDescHigh'],
  [0x90, 4, 'QueueDriverLow'],
  [0x94, 4, 'QueueDriverHigh'],
  [0xa0, 4, 'QueueDeviceLow'],
  [0xa4, 4, 'QueueDeviceHigh'],
  [0xac, 4, 'SHMSel'],
  [0xb0, 4, 'SHMLenLow'],
  [0xb4, 4, 'SHMLenHigh'],
  [0xb8, 4, 'SHMBaseLow'],
  [0xbc, 4, 'SHMBaseHigh'],
  [0xc0, 4, 'QueueReset'],
  [0xfc, 4, 'ConfigGeneration'],
];
