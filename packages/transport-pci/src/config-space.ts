/** PciConfigSpace: the 256 bytes of configuration space of one function, header type 0, with a write mask per bit. */
import { type AccessWidth, VirtioError } from '@viommu/virtqueue';
import { type SnapshotReader, toHex } from '@viommu/virtqueue/snapshot';
import {
  PCI_BASE_ADDRESS_0,
  PCI_CAPABILITY_LIST,
  PCI_CLASS_CODE,
  PCI_COMMAND,
  PCI_COMMAND_INTX_DISABLE,
  PCI_COMMAND_MASTER,
  PCI_COMMAND_MEMORY,
  PCI_CONFIG_SPACE_SIZE,
  PCI_DEVICE_ID,
  PCI_INTERRUPT_LINE,
  PCI_INTERRUPT_PIN,
  PCI_REVISION_ID,
  PCI_STATUS,
  PCI_STATUS_CAP_LIST,
  PCI_STATUS_INTERRUPT,
  PCI_STD_HEADER_SIZE,
  PCI_SUBSYSTEM_ID,
  PCI_SUBSYSTEM_VENDOR_ID,
  PCI_VENDOR_ID,
} from './pci-constants.ts';
import type { PciBar } from './pci-function.ts';

/** Who a function says it is. */
export interface PciIdentity {
  readonly vendorId: number;
  readonly deviceId: number;
  readonly revisionId: number;
  /** 24 bits: base class, sub-class, programming interface. */
  readonly classCode: number;
  readonly subsystemVendorId: number;
  readonly subsystemId: number;
  /** 0 for none, 1 to 4 for INTA to INTD. */
  readonly interruptPin: number;
}

/**
 * Configuration space as plain bytes: what the guest may change is what the write mask says, so that sizing of BARs,
 * reserved bits and read-only fields need no code of their own. Any width and offset can be accessed.
 */
export class PciConfigSpace {
  /** Current contents, for fields that the function itself changes or looks at. */
  readonly view: DataView;
  readonly #bytes = new Uint8Array(PCI_CONFIG_SPACE_SIZE);
  readonly #initial = new Uint8Array(PCI_CONFIG_SPACE_SIZE);
  readonly #writable = new Uint8Array(PCI_CONFIG_SPACE_SIZE);
  #nextCapability = PCI_STD_HEADER_SIZE;
  #lastPointer = PCI_CAPABILITY_LIST;

  /** @throws VirtioError `PCI_BAR` when a BAR's size is no power of two of at least 16, or its index is taken */
  constructor(identity: PciIdentity, bars: readonly PciBar[]) {
    this.view = new DataView(this.#bytes.buffer);
    const initial = new DataView(this.#initial.buffer);
    const writable = new DataView(this.#writable.buffer);
    initial.setUint16(PCI_VENDOR_ID, identity.vendorId, true);
    initial.setUint16(PCI_DEVICE_ID, identity.deviceId, true);
    initial.setUint32(PCI_REVISION_ID, identity.revisionId, true);
    for (let byte = 0; byte < 3; byte++) {
      initial.setUint8(PCI_CLASS_CODE + byte, identity.classCode >>> (8 * byte));
    }
    initial.setUint16(PCI_SUBSYSTEM_VENDOR_ID, identity.subsystemVendorId, true);
    initial.setUint16(PCI_SUBSYSTEM_ID, identity.subsystemId, true);
    initial.setUint8(PCI_INTERRUPT_PIN, identity.interruptPin);
    writable.setUint16(
      PCI_COMMAND,
      PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE,
      true,
    );
    writable.setUint8(PCI_INTERRUPT_LINE, 0xff);
    for (const bar of bars) {
      const register = PCI_BASE_ADDRESS_0 + 4 * bar.index;
      if (!isBar(bar) || writable.getUint32(register, true) !== 0) {
        throw new VirtioError(
          'PCI_BAR',
          `BAR ${bar.index} of ${bar.size} bytes: give each BAR its own index from 0 to 5 and a power of two of at least 16 as size`,
        );
      }
      // Sizing: of an address only the bits above the size can be set, so all ones reads back as the size's complement.
      writable.setUint32(register, -bar.size, true);
    }
    this.reset();
  }

  /**
   * Adds a capability at the end of the list. Done while the function is built, before a guest sees it.
   *
   * @param body what follows the ID and the next pointer
   * @param writable bits of `body` that the guest may change, none by default
   * @returns the offset of the capability in configuration space
   * @throws VirtioError `PCI_CAPABILITIES` when configuration space is full
   */
  addCapability(id: number, body: Uint8Array, writable?: Uint8Array): number {
    const offset = this.#nextCapability;
    if (offset + 2 + body.length > PCI_CONFIG_SPACE_SIZE) {
      throw new VirtioError('PCI_CAPABILITIES', 'configuration space has no room for a capability');
    }
    this.#initial[this.#lastPointer] = offset;
    this.#initial[offset] = id;
    this.#initial.set(body, offset + 2);
    if (writable !== undefined) this.#writable.set(writable, offset + 2);
    this.#initial[PCI_STATUS] = PCI_STATUS_CAP_LIST;
    this.#lastPointer = offset + 1;
    // Capabilities are aligned to four bytes.
    this.#nextCapability = (offset + 2 + body.length + 3) & ~3;
    this.reset();
    return offset;
  }

  /** As after power-on. */
  reset(): void {
    this.#bytes.set(this.#initial);
  }

  /** All bytes, as text. */
  snapshot(): string {
    return toHex(this.#bytes);
  }

  /** @returns what brings it back @throws VirtioError `SNAPSHOT` when it is of another function, too */
  prepareRestore(snapshot: SnapshotReader): () => void {
    const bytes = snapshot.bytes(PCI_CONFIG_SPACE_SIZE);
    for (const [offset, byte] of bytes.entries()) {
      const changing = this.#writable[offset]! | (offset === PCI_STATUS ? PCI_STATUS_INTERRUPT : 0);
      if (((byte ^ this.#initial[offset]!) & ~changing) !== 0) {
        snapshot.refuse(`is of another function: it differs at offset ${offset}`);
      }
    }
    return () => this.#bytes.set(bytes);
  }

  read(offset: number, width: AccessWidth): number {
    let value = 0;
    for (let byte = 0; byte < width; byte++) {
      value |= (this.#bytes[offset + byte] ?? 0) << (8 * byte);
    }
    return value >>> 0;
  }

  write(offset: number, width: AccessWidth, value: number): void {
    for (let byte = 0; byte < width; byte++) {
      const mask = this.#writable[offset + byte] ?? 0;
      const kept = (this.#bytes[offset + byte] ?? 0) & ~mask;
      this.#bytes[offset + byte] = kept | ((value >>> (8 * byte)) & mask);
    }
  }

  /** The command register: which of memory decoding, bus mastering and INTx the guest allows. */
  get command(): number {
    return this.view.getUint16(PCI_COMMAND, true);
  }

  /** Interrupt Status: an INTx is pending in the function, whether or not its line may be driven. */
  setInterruptStatus(pending: boolean): void {
    const status = this.view.getUint16(PCI_STATUS, true) & ~PCI_STATUS_INTERRUPT;
    this.view.setUint16(PCI_STATUS, pending ? status | PCI_STATUS_INTERRUPT : status, true);
  }
}

function isBar(bar: PciBar): boolean {
  const isPowerOfTwo = bar.size >= 16 && bar.size <= 2 ** 31 && Math.log2(bar.size) % 1 === 0;
  return Number.isInteger(bar.index) && bar.index >= 0 && bar.index <= 5 && isPowerOfTwo;
}
