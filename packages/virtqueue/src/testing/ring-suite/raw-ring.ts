/** RawRing: a ring written field by field, as no well-behaved driver does it. Numbers are written out from the standard. */
import type { QueueAddresses } from '../../driver/driver-transport.ts';
import type { GuestBytes } from '../guest-bytes.ts';

/** VIRTQ_DESC_F_NEXT, _WRITE, _INDIRECT. */
export const [NEXT, WRITE, INDIRECT] = [1, 2, 4];
/** VIRTQ_DESC_F_AVAIL, _USED. */
const [AVAIL, USED] = [0x80, 0x8000];

export interface RawDescriptor {
  readonly address: number | bigint;
  readonly length: number;
  /** NEXT is added by {@link RawRing.offer} where another descriptor follows. */
  readonly flags?: number;
  /** Of a split ring; the one behind it by default. */
  readonly next?: number;
}

export abstract class RawRing {
  protected readonly bytes: GuestBytes;
  readonly addresses: QueueAddresses;

  constructor(bytes: GuestBytes, addresses: QueueAddresses) {
    this.bytes = bytes;
    this.addresses = addresses;
  }

  /** Makes one list of descriptors available, from the first descriptor of a fresh ring on. */
  abstract offer(...list: RawDescriptor[]): void;
  /** Writes an indirect table. @returns the descriptor that refers to it */
  abstract table(address: number, ...list: RawDescriptor[]): RawDescriptor;
  /** How many buffers, or descriptors of a packed ring, the device has used. */
  abstract usedCount(): number;
  /** What of the ring is the device's to write: start and length in bytes. */
  abstract deviceWritable(): readonly (readonly [start: number, length: number])[];

  protected writeDescriptor(at: number, { address, length }: RawDescriptor, tail: number): void {
    const view = new DataView(new ArrayBuffer(16));
    view.setBigUint64(0, BigInt(address), true);
    view.setUint32(8, length, true);
    view.setUint32(12, tail >>> 0, true);
    this.bytes.write(at, new Uint8Array(view.buffer));
  }
}

/** struct virtq_desc { le64 addr; le32 len; le16 flags; le16 next; } */
export class RawSplitRing extends RawRing {
  offer(...list: RawDescriptor[]): void {
    for (const [index, descriptor] of list.entries()) this.descriptor(index, descriptor, list);
    this.available(0);
  }

  /** struct virtq_avail { le16 flags; le16 idx; le16 ring[]; } */
  available(...heads: number[]): void {
    for (const [slot, head] of heads.entries()) {
      this.bytes.write16(this.addresses.driverArea + 4 + 2 * slot, head);
    }
    this.availIdx(heads.length);
  }

  availIdx(idx: number): void {
    this.bytes.write16(this.addresses.driverArea + 2, idx);
  }

  usedEvent(value: number): void {
    this.bytes.write16(this.addresses.driverArea + 4 + 2 * this.addresses.size, value);
  }

  descriptor(
    index: number,
    descriptor: RawDescriptor,
    list: readonly RawDescriptor[] = [descriptor],
    base = this.addresses.descriptorArea,
  ): void {
    const link = index + 1 < list.length ? NEXT : 0;
    const next = descriptor.next ?? index + 1;
    this.writeDescriptor(
      base + 16 * index,
      descriptor,
      (next << 16) | (descriptor.flags ?? 0) | link,
    );
  }

  table(address: number, ...list: RawDescriptor[]): RawDescriptor {
    for (const [index, descriptor] of list.entries())
      this.descriptor(index, descriptor, list, address);
    return { address, length: 16 * list.length, flags: INDIRECT };
  }

  /** struct virtq_used { le16 flags; le16 idx; struct { le32 id; le32 len; } ring[]; } */
  usedCount(): number {
    return this.bytes.read16(this.addresses.deviceArea + 2);
  }

  deviceWritable(): readonly (readonly [number, number])[] {
    return [[this.addresses.deviceArea, 6 + 8 * this.addresses.size]];
  }
}

/** struct pvirtq_desc { le64 addr; le32 len; le16 id; le16 flags; } */
export class RawPackedRing extends RawRing {
  offer(...list: RawDescriptor[]): void {
    for (const [index, descriptor] of list.entries()) {
      const link = index + 1 < list.length ? NEXT : 0;
      this.descriptor(index, { ...descriptor, flags: (descriptor.flags ?? 0) | link | AVAIL });
    }
  }

  /** With flags as they are. */
  descriptor(index: number, descriptor: RawDescriptor, id = 0): void {
    const at = this.addresses.descriptorArea + 16 * index;
    this.writeDescriptor(at, descriptor, ((descriptor.flags ?? 0) << 16) | id);
  }

  table(address: number, ...list: RawDescriptor[]): RawDescriptor {
    for (const [index, descriptor] of list.entries()) {
      this.writeDescriptor(address + 16 * index, descriptor, (descriptor.flags ?? 0) << 16);
    }
    return { address, length: 16 * list.length, flags: INDIRECT };
  }

  usedCount(): number {
    let count = 0;
    for (let index = 0; index < this.addresses.size; index += 1) {
      const flags = this.bytes.read16(this.addresses.descriptorArea + 16 * index + 14);
      if ((flags & (AVAIL | USED)) === (AVAIL | USED)) count += 1;
    }
    return count;
  }

  deviceWritable(): readonly (readonly [number, number])[] {
    const { descriptorArea, deviceArea, size } = this.addresses;
    return [
      [descriptorArea, 16 * size],
      [deviceArea, 4],
    ];
  }
}
