/** DmaRun: accesses of endpoints through their own views of memory, and the events that the driver is to get of faults. */
import { ACCESS_WRITE, createMemoryWindow, type GuestMemory } from '@viommu/virtqueue';
import type { InputReader } from '../../engine/input-reader.ts';
import { violated } from '../../engine/invariant.ts';
import type { RequestBuffer, RequestSegment } from '../../models/request-model.ts';
import type { IommuRun } from './iommu-run.ts';

const FAULT_SIZE = 24;
/** VIRTIO_IOMMU_FAULT_F_ADDRESS. */
const FAULT_F_ADDRESS = 0x100;
/** Where the address was translated, but nothing is there. */
const FAULT_R_UNKNOWN = 0;
const ACCESS_MAX = 64;
/** From `home` on. */
const EVENTS = 0x3000;
const EVENT_AREA = 0x40;
const QUEUE_SIZE = 64;

export class DmaRun {
  readonly #run: IommuRun;
  readonly #views = new Map<number, GuestMemory>();
  /** Views of endpoints that are gone. */
  readonly #dead: GuestMemory[] = [];
  readonly #bytes = new Uint8Array(ACCESS_MAX);
  readonly #window = createMemoryWindow();
  faults = 0;
  delivered = 0;
  #buffers = 0;

  constructor(run: IommuRun) {
    this.#run = run;
    for (const id of run.model.endpoints.keys()) this.#look(id);
  }

  toggleEndpoint(id: number): void {
    this.#run.toggleEndpoint(id);
    const view = this.#views.get(id);
    this.#views.delete(id);
    if (view === undefined) this.#look(id);
    else this.#dead.push(view);
  }

  /** Devices get to see the memory of another IOMMU, which counts anew. */
  restore(): void {
    this.end();
    const { device } = this.#run;
    this.#run.restore();
    if (this.#run.device === device) return;
    this.faults = 0;
    this.delivered = 0;
    this.#dead.length = 0;
    for (const id of this.#run.model.endpoints.keys()) this.#look(id);
  }

  /** The driver gives a buffer for events, mostly one that is right. */
  refill(input: InputReader): void {
    const { events, guest } = this.#run;
    if (events.available.length >= QUEUE_SIZE) return;
    this.#buffers += 1;
    const address = guest.home + EVENTS + (this.#buffers % 8) * EVENT_AREA;
    const code = input.byte();
    const length = code < 0xc0 ? FAULT_SIZE : input.byte() % EVENT_AREA;
    const first = code < 0x80 ? length : Math.min(code % 32, length);
    const writable: RequestSegment[] = [
      { address, length: first },
      { address: address + first, length: length - first },
    ];
    if (code >= 0xf0) writable.push({ address: guest.home + 0x3ff0 + (code % 16), length: 24 });
    if (code >= 0xf8) writable.shift();
    const readable = code % 8 === 7 ? [{ address, length: 4 }] : [];
    events.available.push({ readable, writable });
  }

  /** @param kind 0 to read, 1 to write, 2 to show */
  access(endpoint: number, address: number, length: number, access: number, kind: number): void {
    const view = this.#views.get(endpoint);
    if (view === undefined) return;
    const bytes = 1 + (length % ACCESS_MAX);
    if (!this.#run.canReach(address, bytes)) return;
    const before = this.#run.interrupted;
    const buffers = this.#run.events.available.slice();
    if (kind === 2) this.#checkWindow(view, endpoint, address, bytes, access, buffers);
    else this.#checkCopy(view, endpoint, address, bytes, kind === 0, buffers);
    const { events, guest } = this.#run;
    if (events.held.size > 0) violated('an event buffer is kept');
    if (events.used.length > 0) violated('an event buffer too many came back');
    if (!events.isSilent) violated('nobody asked whether the driver wants an interrupt');
    const taken = buffers.length - events.available.length;
    if (this.#run.interrupted - before !== taken) violated('an interrupt per event buffer');
    guest.arena.check();
  }

  /** Whoever still has the view of an endpoint that is gone reaches nothing, and no driver hears of it. */
  accessDead(address: number): void {
    const { counters } = this.#run.device;
    const { faults } = counters;
    for (const view of this.#dead) {
      const isDone =
        view.read(address, this.#bytes, 0, 1) ||
        view.write(address, this.#bytes, 0, 1) ||
        view.window(address, 1, 1, this.#window) >= 0;
      if (isDone) violated('an endpoint that is gone reaches memory');
    }
    if (counters.faults !== faults) violated('a fault of an endpoint that is gone');
  }

  end(): void {
    const { faults, eventsDelivered, eventsDropped } = this.#run.device.counters;
    if (faults !== this.faults) violated(`${faults} faults in place of ${this.faults}`);
    if (eventsDelivered !== this.delivered) violated(`${eventsDelivered} events delivered`);
    if (eventsDropped !== faults - eventsDelivered) violated(`${eventsDropped} events dropped`);
  }

  #look(id: number): void {
    this.#views.set(id, this.#run.device.endpointMemory(id, this.#run.guest.memory));
  }

  #checkCopy(
    view: GuestMemory,
    endpoint: number,
    address: number,
    length: number,
    isRead: boolean,
    buffers: readonly RequestBuffer[],
  ): void {
    const bytes = this.#bytes;
    bytes.fill(0x5a);
    const isDone = isRead
      ? view.read(address, bytes, 0, length)
      : view.write(address, bytes, 0, length);
    const expected = this.#follow(endpoint, address, length, isRead, buffers);
    if (isDone !== expected) violated(`an access is done: ${isDone}`);
  }

  /** Byte range by byte range, as the mappings cut it. @returns whether all of it is done */
  #follow(
    endpoint: number,
    address: number,
    length: number,
    isRead: boolean,
    buffers: readonly RequestBuffer[],
  ): boolean {
    const { model, guest } = this.#run;
    const access = isRead ? 1 : 2;
    for (let done = 0; done < length; ) {
      const start = address + done;
      const target = model.translate(endpoint, start, access);
      if ('fault' in target)
        return this.#expectFault(endpoint, target.fault, start, access, buffers);
      const run = Math.min(length - done, target.last - start + 1);
      if (!guest.arena.holds(target.phys, run, access)) {
        if (!isRead) guest.arena.admit(target.phys, run);
        return this.#expectFault(endpoint, FAULT_R_UNKNOWN, start, access, buffers);
      }
      for (let byte = 0; byte < run; byte += 1) {
        if (!isRead) guest.arena.expect(target.phys + byte, 0x5a, 1);
        else if (guest.arena.expected(target.phys + byte, 1) !== this.#bytes[done + byte]) {
          violated('other bytes were read');
        }
      }
      done += run;
    }
    return true;
  }

  #checkWindow(
    view: GuestMemory,
    endpoint: number,
    address: number,
    length: number,
    access: number,
    buffers: readonly RequestBuffer[],
  ): void {
    const { model, guest } = this.#run;
    const window = this.#window;
    const run = view.window(address, length, access, window);
    const target = model.translate(endpoint, address, access);
    if ('fault' in target || !guest.arena.holds(target.phys, 1, access)) {
      if (run !== -1) violated(`a window of ${run} where there is nothing`);
      const reason = 'fault' in target ? target.fault : FAULT_R_UNKNOWN;
      this.#expectFault(endpoint, reason, address, access, buffers);
      return;
    }
    if (run < 0 || run > length) violated(`a window of ${run} of ${length} bytes`);
    for (let byte = 0; byte < run; byte += 1) {
      const each = model.translate(endpoint, address + byte, access);
      if ('fault' in each || each.phys !== target.phys + byte) violated('a window across mappings');
      if (!guest.arena.holds(each.phys, 1, access)) violated('a window of what is not there');
      if (window.bytes[window.offset + byte] !== guest.arena.expected(each.phys, 1)) {
        violated('a window of other bytes');
      }
    }
  }

  /** @returns false, as the access is not done */
  #expectFault(
    endpoint: number,
    reason: number,
    address: number,
    access: number,
    buffers: readonly RequestBuffer[],
  ): false {
    const { isUp, hasEvents, events, guest } = this.#run;
    this.faults += 1;
    const [buffer] = isUp && hasEvents ? buffers : [];
    if (buffer === undefined) return false;
    const [used] = events.used.splice(0, 1);
    if (used?.buffer !== buffer) violated('the fault is not in the first event buffer');
    const length = buffer.writable.reduce((sum, segment) => sum + segment.length, 0);
    if (length < FAULT_SIZE) {
      if (used.length !== 0) violated('an event in a buffer that is too small');
      return false;
    }
    const record = encodeFault(endpoint, reason, address, access);
    let done = 0;
    for (const segment of buffer.writable) {
      const run = Math.min(segment.length, FAULT_SIZE - done);
      if (run > 0 && !guest.arena.holds(segment.address, run, ACCESS_WRITE)) {
        guest.arena.admit(segment.address, run);
        if (used.length !== 0) violated('an event that memory refused');
        return false;
      }
      for (let byte = 0; byte < run; byte += 1) {
        guest.arena.expect(segment.address + byte, record[done + byte]!, 1);
      }
      done += run;
    }
    if (used.length !== FAULT_SIZE) violated(`an event of ${used.length} bytes`);
    this.delivered += 1;
    return false;
  }
}

/** struct virtio_iommu_fault { u8 reason; u8 reserved[3]; le32 flags; le32 endpoint; le32 reserved1; le64 address; } */
function encodeFault(
  endpoint: number,
  reason: number,
  address: number,
  access: number,
): Uint8Array {
  const view = new DataView(new ArrayBuffer(FAULT_SIZE));
  view.setUint8(0, reason);
  view.setUint32(4, FAULT_F_ADDRESS | access, true);
  view.setUint32(8, endpoint, true);
  view.setBigUint64(16, BigInt(address), true);
  return new Uint8Array(view.buffer);
}
