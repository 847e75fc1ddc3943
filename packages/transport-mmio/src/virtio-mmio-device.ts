/** VirtioMmioDevice: any VirtioDevice behind a window of registers, version 2 only ("Virtio Over MMIO"). */
import { type AccessWidth, silentLogger, VirtioError } from '@viommu/virtqueue';
import {
  DeviceSession,
  VIRTIO_F_NOTIFICATION_DATA,
  type VirtioDevice,
  type VirtioTransportOptions,
} from '@viommu/virtqueue/device';
import type { SessionSnapshot, SnapshotReader } from '@viommu/virtqueue/snapshot';
import { ControlRegisters, type MmioSelections } from './control-registers.ts';
import type { MmioDevice, MmioHost } from './mmio-device.ts';
import { MmioInterrupts, type MmioInterruptsSnapshot } from './mmio-interrupts.ts';
import { CONFIG } from './mmio-registers.ts';

/** What the device tree binding of the standard's example gives a device. */
const SMALLEST_WINDOW = 0x200;
const REGISTER_SIZE = 4;
const SNAPSHOT_VERSION = 1;
/** The PCI vendor of virtio; drivers make nothing of it. */
const DEFAULT_VENDOR_ID = 0x1af4;

export interface VirtioMmioDeviceOptions extends VirtioTransportOptions {
  /** VendorID, 32 bits. */
  readonly vendorId?: number;
}

/** The whole state of the window and its device. */
export interface VirtioMmioSnapshot {
  readonly version: 1;
  readonly selections: MmioSelections;
  readonly interrupts: MmioInterruptsSnapshot;
  readonly session: SessionSnapshot;
}

/** Puts a virtio device into a memory map. */
export function createVirtioMmioDevice(options: VirtioMmioDeviceOptions): VirtioMmioDevice {
  return new VirtioMmioDevice(options);
}

/**
 * 512 bytes, or as many more as the configuration needs.
 *
 * "The driver MUST only use 32 bit wide and aligned reads and writes to access the control registers", and those go straight
 * to a register. Any other read is composed of the registers that it touches; any other write is ignored, as most registers
 * have no contents that a part could be merged into. The configuration is accessed in any width.
 */
export class VirtioMmioDevice implements MmioDevice {
  readonly device: VirtioDevice;
  readonly size: number;
  readonly #options: VirtioMmioDeviceOptions;
  readonly #interrupts = new MmioInterrupts();
  readonly #session: DeviceSession;
  readonly #registers: ControlRegisters;
  #host: MmioHost | undefined;

  constructor(options: VirtioMmioDeviceOptions) {
    const { device } = options;
    this.#options = options;
    this.device = device;
    this.size = Math.max(SMALLEST_WINDOW, CONFIG + device.configSize);
    this.#session = new DeviceSession({
      device,
      interrupts: this.#interrupts,
      logger: options.logger ?? silentLogger,
      transportFeatures: VIRTIO_F_NOTIFICATION_DATA,
      packed: options.packed ?? false,
      ...(options.queueObserver ? { queueObserver: options.queueObserver } : {}),
      ...(options.queueGate ? { queueGate: options.queueGate } : {}),
    });
    this.#registers = new ControlRegisters(
      this.#session,
      this.#interrupts,
      options.vendorId ?? DEFAULT_VENDOR_ID,
    );
  }

  read(offset: number, width: AccessWidth): number {
    if (offset >= CONFIG) return this.#session.readConfig(offset - CONFIG, width);
    if (isNatural(offset, width)) return this.#registers.read(offset);
    let value = 0;
    for (let byte = 0; byte < width; byte++) {
      value |= this.#readByte(offset + byte) << (8 * byte);
    }
    return value >>> 0;
  }

  write(offset: number, width: AccessWidth, value: number): void {
    if (offset >= CONFIG) this.#session.writeConfig(offset - CONFIG, width, value);
    else if (isNatural(offset, width)) this.#registers.write(offset, value);
  }

  /** @throws VirtioError `MMIO_CONNECTED` when the device has a host already */
  connect(host: MmioHost): void {
    if (this.#host !== undefined) {
      throw new VirtioError('MMIO_CONNECTED', 'this window has a host: disconnect it first');
    }
    this.#host = host;
    this.#interrupts.setHost(host);
    this.#session.setMemory(this.#options.memory?.(host.memory) ?? host.memory);
    this.reset();
  }

  disconnect(): void {
    this.#session.setMemory(undefined);
    this.reset();
    this.#host = undefined;
    this.#interrupts.setHost(undefined);
    this.#options.onDisconnect?.();
  }

  reset(): void {
    this.#session.reset();
    this.#registers.reset();
    this.#interrupts.reset();
    this.#options.onReset?.();
  }

  snapshot(): VirtioMmioSnapshot {
    return {
      version: 1,
      selections: this.#registers.snapshot(),
      interrupts: this.#interrupts.snapshot(),
      session: this.#session.snapshot(),
    };
  }

  prepareRestore(snapshot: SnapshotReader): () => void {
    snapshot.version(SNAPSHOT_VERSION);
    const restores = [
      this.#registers.prepareRestore(snapshot.field('selections')),
      this.#interrupts.prepareRestore(snapshot.field('interrupts')),
      this.#session.prepareRestore(snapshot.field('session')),
    ];
    return () => {
      this.reset();
      for (const restore of restores) restore();
    };
  }

  service(): boolean {
    return this.#session.service();
  }

  #readByte(offset: number): number {
    if (offset >= CONFIG) return this.#session.readConfig(offset - CONFIG, 1);
    const byte = offset % REGISTER_SIZE;
    return (this.#registers.read(offset - byte) >>> (8 * byte)) & 0xff;
  }
}

function isNatural(offset: number, width: AccessWidth): boolean {
  return width === REGISTER_SIZE && offset % REGISTER_SIZE === 0;
}
