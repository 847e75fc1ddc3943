/** VirtioPciFunction: any VirtioDevice as a PCI function, modern virtio-pci only ("Virtio Over PCI Bus"). */
import { type AccessWidth, silentLogger, VirtioError } from '@viommu/virtqueue';
import {
  DeviceSession,
  VIRTIO_F_NOTIF_CONFIG_DATA,
  VIRTIO_F_NOTIFICATION_DATA,
  type VirtioDevice,
  type VirtioTransportOptions,
} from '@viommu/virtqueue/device';
import type { SessionSnapshot, SnapshotReader } from '@viommu/virtqueue/snapshot';
import { PciConfigSpace } from '../config-space.ts';
import { IntxLine } from '../intx.ts';
import { Msix, type MsixSnapshot, msixBar } from '../msix.ts';
import { PCI_COMMAND_MASTER } from '../pci-constants.ts';
import type { PciBar, PciFunction, PciHost } from '../pci-function.ts';
import {
  addVirtioCapabilities,
  COMMON_OFFSET,
  DEVICE_OFFSET,
  ISR_OFFSET,
  NOTIFY_OFF_MULTIPLIER,
  NOTIFY_OFFSET,
  STRUCTURE_PAGE_SIZE,
  STRUCTURES_BAR,
  STRUCTURES_BAR_SIZE,
} from './capabilities.ts';
import { classCodeOf } from './class-codes.ts';
import { CommonConfig, type CommonConfigSnapshot } from './common-config.ts';
import { ConfigAccess } from './config-access.ts';
import { VirtioPciInterrupts, type VirtioPciInterruptsSnapshot } from './virtio-interrupts.ts';
import { VIRTIO_PCI_DEVICE_ID_BASE, VIRTIO_PCI_VENDOR_ID } from './virtio-pci-constants.ts';

const MSIX_BAR = 1;
const MAX_QUEUES = STRUCTURE_PAGE_SIZE / NOTIFY_OFF_MULTIPLIER;
const INTERRUPT_PIN_A = 1;
const SNAPSHOT_VERSION = 1;

export interface VirtioPciFunctionOptions extends VirtioTransportOptions {
  /** 24 bits. By default that of QEMU for the device type. */
  readonly classCode?: number;
  readonly subsystemVendorId?: number;
  /** "PCI Device Discovery": should be 0x40 or higher. */
  readonly subsystemId?: number;
  /** MSI-X vectors, 0 for a function with INTx alone. By default one per queue and one for configuration changes. */
  readonly msixVectors?: number;
}

/**
 * Puts a virtio device on a PCI bus.
 *
 * @throws VirtioError `PCI_QUEUES` or `PCI_CONFIG_SIZE` when the device has more queues (1024) or configuration (4096 bytes)
 * than the layout has room for, `MSIX_VECTORS` when there would be more than 2048 vectors
 */
export function createVirtioPciFunction(options: VirtioPciFunctionOptions): VirtioPciFunction {
  return new VirtioPciFunction(options);
}

/** The whole state of the function and its device. */
export interface VirtioPciSnapshot {
  readonly version: 1;
  /** Configuration space, as text. */
  readonly config: string;
  /** null for a function with INTx alone. */
  readonly msix: MsixSnapshot | null;
  readonly interrupts: VirtioPciInterruptsSnapshot;
  readonly common: CommonConfigSnapshot;
  readonly session: SessionSnapshot;
}

export class VirtioPciFunction implements PciFunction {
  readonly device: VirtioDevice;
  readonly bars: readonly PciBar[];
  readonly msixVectors: number;
  readonly interruptPin = INTERRUPT_PIN_A;
  readonly #options: VirtioPciFunctionOptions;
  readonly #config: PciConfigSpace;
  readonly #msix: Msix | undefined;
  readonly #intx: IntxLine;
  readonly #interrupts: VirtioPciInterrupts;
  readonly #session: DeviceSession;
  readonly #common: CommonConfig;
  readonly #access: ConfigAccess;
  #host: PciHost | undefined;

  constructor(options: VirtioPciFunctionOptions) {
    const { device } = options;
    const queueCount = device.queueMaxSizes.length;
    checkLayout(queueCount, device.configSize);
    this.#options = options;
    this.device = device;
    this.msixVectors = options.msixVectors ?? queueCount + 1;

    const structures = { index: STRUCTURES_BAR, size: STRUCTURES_BAR_SIZE };
    this.bars =
      this.msixVectors > 0 ? [structures, msixBar(MSIX_BAR, this.msixVectors)] : [structures];
    this.#config = new PciConfigSpace(identityOf(options), this.bars);
    this.#msix =
      this.msixVectors > 0 ? new Msix(this.#config, MSIX_BAR, this.msixVectors) : undefined;
    const access = addVirtioCapabilities(this.#config, queueCount, device.configSize);
    this.#access = new ConfigAccess(this.#config, access, this);

    this.#intx = new IntxLine(this.#config);
    this.#interrupts = new VirtioPciInterrupts(queueCount, this.#msix, this.#intx);
    this.#session = new DeviceSession({
      device,
      interrupts: this.#interrupts,
      logger: options.logger ?? silentLogger,
      // Which queue is kicked is told by the address alone, so any value of 16 or 32 bits will do.
      transportFeatures: VIRTIO_F_NOTIF_CONFIG_DATA | VIRTIO_F_NOTIFICATION_DATA,
      packed: options.packed ?? false,
      ...(options.queueObserver ? { queueObserver: options.queueObserver } : {}),
      ...(options.queueGate ? { queueGate: options.queueGate } : {}),
    });
    this.#common = new CommonConfig(this.#session, this.#interrupts);
  }

  readConfig(offset: number, width: AccessWidth): number {
    this.#access.beforeRead(offset, width);
    return this.#config.read(offset, width);
  }

  writeConfig(offset: number, width: AccessWidth, value: number): void {
    this.#config.write(offset, width, value);
    this.#access.afterWrite(offset, width);
    this.#msix?.controlChanged();
    this.#interrupts.updateIntx();
  }

  readBar(bar: number, offset: number, width: AccessWidth): number {
    if (bar === MSIX_BAR) return this.#msix?.readBar(offset, width) ?? 0;
    if (bar !== STRUCTURES_BAR) return 0;
    switch (pageOf(offset)) {
      case COMMON_OFFSET:
        return this.#common.read(offset - COMMON_OFFSET, width);
      case ISR_OFFSET:
        return offset === ISR_OFFSET ? this.#interrupts.readIsrStatus() : 0;
      case DEVICE_OFFSET:
        return this.#session.readConfig(offset - DEVICE_OFFSET, width);
      default:
        return 0;
    }
  }

  writeBar(bar: number, offset: number, width: AccessWidth, value: number): void {
    if (bar === MSIX_BAR) {
      this.#msix?.writeBar(offset, width, value);
      return;
    }
    if (bar !== STRUCTURES_BAR) return;
    switch (pageOf(offset)) {
      case COMMON_OFFSET:
        this.#common.write(offset - COMMON_OFFSET, width, value);
        return;
      case DEVICE_OFFSET:
        this.#session.writeConfig(offset - DEVICE_OFFSET, width, value);
        return;
      case NOTIFY_OFFSET:
        this.#session.notify(Math.floor((offset - NOTIFY_OFFSET) / NOTIFY_OFF_MULTIPLIER));
    }
  }

  /** @throws VirtioError `PCI_CONNECTED` when the function has a host already */
  connect(host: PciHost): void {
    if (this.#host !== undefined) {
      throw new VirtioError('PCI_CONNECTED', 'this PCI function has a host: disconnect it first');
    }
    this.#host = host;
    this.#msix?.setHost(host);
    this.#intx.setHost(host);
    this.#session.setMemory(this.#options.memory?.(host.memory) ?? host.memory);
    this.reset();
  }

  disconnect(): void {
    this.#session.setMemory(undefined);
    this.reset();
    this.#host = undefined;
    this.#msix?.setHost(undefined);
    this.#intx.setHost(undefined);
    this.#options.onDisconnect?.();
  }

  reset(): void {
    this.#session.reset();
    this.#common.reset();
    this.#config.reset();
    this.#msix?.reset();
    this.#interrupts.reset();
    this.#options.onReset?.();
  }

  snapshot(): VirtioPciSnapshot {
    return {
      version: 1,
      config: this.#config.snapshot(),
      msix: this.#msix?.snapshot() ?? null,
      interrupts: this.#interrupts.snapshot(),
      common: this.#common.snapshot(),
      session: this.#session.snapshot(),
    };
  }

  prepareRestore(snapshot: SnapshotReader): () => void {
    snapshot.version(SNAPSHOT_VERSION);
    const msix = snapshot.field('msix');
    if (msix.isNull !== (this.#msix === undefined))
      msix.refuse('is of a function with other vectors');
    const restores = [
      this.#config.prepareRestore(snapshot.field('config')),
      this.#msix?.prepareRestore(msix),
      this.#interrupts.prepareRestore(snapshot.field('interrupts')),
      this.#common.prepareRestore(snapshot.field('common')),
      this.#session.prepareRestore(snapshot.field('session')),
    ];
    return () => {
      this.reset();
      for (const restore of restores) restore?.();
    };
  }

  /** Without Bus Master Enable nothing is done, and kicks wait: a function must not access memory then. */
  service(): boolean {
    if ((this.#config.command & PCI_COMMAND_MASTER) === 0) return false;
    return this.#session.service();
  }
}

function pageOf(offset: number): number {
  return offset - (offset % STRUCTURE_PAGE_SIZE);
}

function checkLayout(queueCount: number, configSize: number): void {
  if (queueCount > MAX_QUEUES) {
    throw new VirtioError('PCI_QUEUES', `${queueCount} queues: virtio-pci here has room for 1024`);
  }
  if (configSize > STRUCTURE_PAGE_SIZE) {
    throw new VirtioError(
      'PCI_CONFIG_SIZE',
      `${configSize} bytes of device configuration: virtio-pci here has room for 4096`,
    );
  }
}

function identityOf(options: VirtioPciFunctionOptions) {
  const deviceId = VIRTIO_PCI_DEVICE_ID_BASE + options.device.deviceId;
  return {
    vendorId: VIRTIO_PCI_VENDOR_ID,
    deviceId,
    // "PCI Device Discovery": 1 or higher unless the device is transitional.
    revisionId: 1,
    classCode: options.classCode ?? classCodeOf(options.device.deviceId),
    subsystemVendorId: options.subsystemVendorId ?? VIRTIO_PCI_VENDOR_ID,
    subsystemId: options.subsystemId ?? deviceId,
    interruptPin: INTERRUPT_PIN_A,
  };
}
