/** virtio-blk request by request, on a real ring; bytes are written out from the chapter "Block Device". */
import { ACCESS_WRITE, type GuestMemory } from '@viommu/virtqueue';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Guest, READABLE, UNTOUCHED, WRITABLE } from '../fixtures/guest.ts';
import type { Disk } from './disk.ts';
import { MemoryDisk } from './memory-disk.ts';
import { VirtioBlockDevice } from './virtio-block-device.ts';

const SECTORS = 64;
const [IN, OUT, FLUSH, GET_ID] = [0, 1, 4, 8];
const [OK, IOERR, UNSUPP] = [0, 1, 2];
/** VERSION_1 and VIRTIO_BLK_F_FLUSH (bit 9). */
const WITH_FLUSH = 0x1_0000_0200n;

let content: Uint8Array;
let log: string[];
let guest: Guest;

const logger = {
  debug() {},
  info() {},
  warn() {},
  error: (line: string) => {
    log.push(line);
  },
};

beforeEach(() => {
  content = Uint8Array.from(
    { length: SECTORS * 512 },
    (_, index) => (index * 7 + (index >> 9)) & 0xff,
  );
  log = [];
  guest = new Guest(
    new VirtioBlockDevice({ disk: new MemoryDisk(content), id: 'serial-1', logger }),
  );
});

afterEach(() => {
  vi.restoreAllMocks();
});

/** struct virtio_blk_req { le32 type; le32 reserved; le64 sector; … } */
function header(
  type: number,
  sector: number | bigint,
  data: Uint8Array = new Uint8Array(),
): Uint8Array {
  const bytes = new Uint8Array(16 + data.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, type, true);
  view.setUint32(4, 0xdead_beef, true);
  view.setBigUint64(8, BigInt(sector), true);
  bytes.set(data, 16);
  return bytes;
}

const statusOf = ({ bytes }: { bytes: Uint8Array }) => bytes.at(-1);
const pattern = (length: number, seed: number) =>
  Uint8Array.from({ length }, (_, index) => (index * 13 + seed) & 0xff);

it('polls its queue for as long as the host says, once requests follow each other', () => {
  let now = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => {
    now += 1;
    return now;
  });
  const looksFor = (pollMicroseconds: number) => {
    const device = new VirtioBlockDevice({ disk: new MemoryDisk(content), pollMicroseconds });
    const look = vi.spyOn(device, 'notifyQueue');
    const driver = new Guest(device);
    driver.send(header(FLUSH, 0), 1);
    driver.send(header(FLUSH, 0), 1);
    return look.mock.calls.length;
  };
  expect([looksFor(0), looksFor(5000)]).toEqual([2, 7]);
});

describe('what the device says of itself', () => {
  it('capacity in sectors, segments, block size', () => {
    const { session } = guest;
    expect(session.device.deviceId).toBe(2);
    // le64 capacity @0, le32 seg_max @12, le32 blk_size @20.
    expect([0, 4, 12, 20].map((offset) => session.readConfig(offset, 4))).toEqual([
      64, 0, 254, 512,
    ]);
    // SEG_MAX 2, BLK_SIZE 6, FLUSH 9.
    expect(session.readDeviceFeatures(0) & 0xffffff).toBe(0x244);
  });

  it('RO for a disk that is read only', () => {
    const device = new VirtioBlockDevice({ disk: new MemoryDisk(content, { readOnly: true }) });
    expect(device.deviceFeatures & 0xff_ffffn).toBe(0x264n);
  });

  it('zero in all fields of features that are not offered, padding among them', () => {
    const { session } = guest;
    // The end of struct virtio_blk_config is at 96; unused0 is at 33, unused1 at 57, unused2 at 93.
    for (const offset of [8, 16, 18, 19, ...Array.from({ length: 72 }, (_, at) => 24 + at)]) {
      expect([offset, session.readConfig(offset, 1)]).toEqual([offset, 0]);
    }
  });

  it('a queue that has no room for data is refused', () => {
    expect(() => new VirtioBlockDevice({ disk: new MemoryDisk(content), queueSize: 2 })).toThrow(
      expect.objectContaining({ code: 'QUEUE_SIZE' }),
    );
  });
});

describe('IN', () => {
  it('reads sectors, and says OK in the last byte', () => {
    const { used, bytes } = guest.send(header(IN, 3), 1025);
    expect(bytes.subarray(0, 1024)).toEqual(content.subarray(1536, 2560));
    expect([bytes[1024], used, guest.interrupts]).toEqual([OK, 1025, 1]);
  });

  it.each([
    ['the header byte by byte', { readable: new Array(15).fill(1) }],
    ['the header in the middle of its fields', { readable: [3, 7] }],
    ['data in pieces that are no sectors', { writable: [1, 510, 2, 300] }],
    ['the status apart', { writable: [1024] }],
    ['the status with the last piece', { writable: [1000] }],
    ['empty segments', { readable: [0, 16, 0], writable: [0, 512, 0, 512, 0] }],
  ])('takes %s', (_what, splits) => {
    const { bytes } = guest.send(header(IN, 3), 1025, splits);
    expect(bytes).toEqual(Uint8Array.of(...content.subarray(1536, 2560), OK));
  });

  it.each<[string, number | bigint, number]>([
    ['the sector after the last', 64, 512],
    ['from the last sector beyond the end', 63, 1024],
    ['far beyond the end', 2n ** 55n, 512],
    ['a sector whose position wraps', 2n ** 63n, 512],
    ['the last of all sectors', 2n ** 64n - 1n, 512],
    ['half a sector', 0, 256],
    ['a sector and a byte', 0, 513],
    ['nothing', 0, 0],
  ])('refuses %s, and writes no data', (_what, sector, length) => {
    const { used, bytes } = guest.send(header(IN, sector), length + 1);
    expect([bytes.at(-1), used]).toEqual([IOERR, length === 0 ? 1 : 0]);
    expect(bytes.subarray(0, length).every((byte) => byte === UNTOUCHED)).toBe(true);
    expect(log).toEqual([]);
  });
});

describe('OUT', () => {
  it('writes sectors, and nothing else', () => {
    const data = pattern(1024, 5);
    const before = content.slice();
    const { used, bytes } = guest.send(header(OUT, 10, data), 1);
    expect([[...bytes], used]).toEqual([[OK], 1]);
    before.set(data, 5120);
    expect(content).toEqual(before);
  });

  it.each([[[15, 2, 600]], [[16, 512]], [[1, 1, 1, 1000]]])(
    'takes header and data split into %j',
    (readable) => {
      const data = pattern(1024, 9);
      expect(statusOf(guest.send(header(OUT, 62, data), 1, { readable }))).toBe(OK);
      expect(content.subarray(62 * 512)).toEqual(data);
    },
  );

  it.each<[string, number | bigint, number]>([
    ['beyond the end', 63, 1024],
    ['far beyond the end', 2n ** 56n, 512],
    ['part of a sector', 0, 100],
    ['nothing', 0, 0],
  ])('refuses %s, and changes nothing', (_what, sector, length) => {
    const before = content.slice();
    expect(statusOf(guest.send(header(OUT, sector, pattern(length, 1)), 1))).toBe(IOERR);
    expect(content).toEqual(before);
  });

  it('refuses to write to a disk that is read only', () => {
    const disk = new MemoryDisk(content, { readOnly: true });
    guest = new Guest(new VirtioBlockDevice({ disk }));
    const before = content.slice();
    expect(statusOf(guest.send(header(OUT, 0, pattern(512, 1)), 1))).toBe(IOERR);
    expect(content).toEqual(before);
    expect(statusOf(guest.send(header(IN, 0), 513))).toBe(OK);
  });
});

describe('the other requests', () => {
  it('GET_ID answers 20 bytes, filled up with zeros', () => {
    const { used, bytes } = guest.send(header(GET_ID, 0), 21);
    const id = [...new TextEncoder().encode('serial-1'), ...new Array(12).fill(0)];
    expect([[...bytes], used]).toEqual([[...id, OK], 21]);
    expect(statusOf(guest.send(header(GET_ID, 0), 20))).toBe(IOERR);
    // The status is not in the first bytes that were written.
    const longer = guest.send(header(GET_ID, 0), 40);
    expect([longer.used, statusOf(longer)]).toEqual([20, OK]);
  });

  it('a longer ID is cut', () => {
    guest = new Guest(new VirtioBlockDevice({ disk: new MemoryDisk(content), id: 'x'.repeat(30) }));
    expect([...guest.send(header(GET_ID, 0), 21).bytes]).toEqual([...new Array(20).fill(0x78), OK]);
  });

  it.each([2, 3, 5, 11, 13, 0xffff_ffff])('type %d is not supported', (type) => {
    const { used, bytes } = guest.send(header(type, 0), 5);
    expect([bytes.at(-1), used]).toEqual([UNSUPP, 0]);
  });

  it('zones, which were not agreed on, are not supported', () => {
    // APPEND 15, REPORT 16, OPEN 18, CLOSE 20, FINISH 22, RESET 24, RESET_ALL 26.
    for (const type of [15, 16, 18, 20, 22, 24, 26]) {
      expect([type, statusOf(guest.send(header(type, 0), 1))]).toEqual([type, UNSUPP]);
    }
  });

  it.each([0, 1, 15])('a header of %d bytes is an error', (length) => {
    expect(statusOf(guest.send(new Uint8Array(length), 513))).toBe(IOERR);
  });

  it('a request without room for a status is given back as it came', () => {
    expect(guest.send(header(IN, 0), 0)).toEqual({ used: 0, bytes: new Uint8Array(0) });
    expect(statusOf(guest.send(header(IN, 0), 513))).toBe(OK);
  });
});

describe('a disk', () => {
  function diskOf(
    calls: string[],
    fail: Partial<Record<'read' | 'write' | 'flush', string>>,
  ): Disk {
    const call = (name: 'read' | 'write' | 'flush', position = 0, length = 0) => {
      calls.push(`${name} ${position} ${length}`);
      const problem = fail[name];
      if (problem !== undefined) throw new Error(problem);
    };
    return {
      size: SECTORS * 512,
      readOnly: false,
      read: (position, _target, _offset, length) => call('read', position, length),
      write: (position, _source, _offset, length) => call('write', position, length),
      flush: () => call('flush'),
    };
  }

  it('that fails fails the request, and is complained about once, with the count of the others when the driver is gone', () => {
    const fail = { read: 'EIO', write: 'ENOSPC', flush: 'EIO' };
    guest = new Guest(new VirtioBlockDevice({ disk: diskOf([], fail), logger }), {
      features: WITH_FLUSH,
    });
    for (const [request, room] of [
      [header(IN, 0), 513],
      [header(OUT, 0, pattern(512, 0)), 1],
      [header(FLUSH, 0), 1],
      [header(IN, 0), 513],
    ] as const) {
      expect(statusOf(guest.send(request, room))).toBe(IOERR);
    }
    expect(log).toEqual([expect.stringContaining('EIO')]);
    expect(statusOf(guest.send(header(GET_ID, 0), 21))).toBe(OK);
    guest.session.reset();
    expect(log).toHaveLength(2);
    expect(log[1]).toContain('EIO (3 times more)');
  });

  it('is flushed when the driver asks, or after each write when it does not know how to ask', () => {
    const calls: string[] = [];
    const device = () => new VirtioBlockDevice({ disk: diskOf(calls, {}) });
    guest = new Guest(device(), { features: WITH_FLUSH });
    guest.send(header(OUT, 2, pattern(512, 0)), 1);
    guest.send(header(FLUSH, 0), 1);
    expect(calls.splice(0)).toEqual(['write 1024 512', 'flush 0 0']);
    guest = new Guest(device());
    guest.send(header(OUT, 2, pattern(512, 0)), 1);
    expect(calls).toEqual(['write 1024 512', 'flush 0 0']);
  });
});

describe('memory that is denied', () => {
  /** Denies writing from an address on, and reading below another. */
  const deny =
    (from: number) =>
    (memory: GuestMemory): GuestMemory => ({
      isShared: false,
      get generation() {
        return memory.generation;
      },
      window: (address, length, access, out) =>
        (access & ACCESS_WRITE) !== 0 &&
        address + length > from &&
        address < WRITABLE + 0x10000 &&
        address >= WRITABLE
          ? -1
          : memory.window(address, length, access, out),
      read: (address, target, offset, length) =>
        !(address >= READABLE && address + length > from && address < WRITABLE) &&
        memory.read(address, target, offset, length),
      write: (address, source, offset, length) =>
        !(address >= from && address < from + 0x1000) &&
        memory.write(address, source, offset, length),
    });

  it('for the data of a read: an I/O error, where the status can be written', () => {
    guest = new Guest(new VirtioBlockDevice({ disk: new MemoryDisk(content), logger }), {
      view: deny(WRITABLE),
    });
    const { bytes, used } = guest.send(header(IN, 0), 0x1001, { writable: [0x1000] });
    expect([bytes.at(-1), used]).toEqual([IOERR, 0]);
    expect(log).toEqual([]);
  });

  it('for the status: the buffer goes back with nothing written, and the next is served', () => {
    guest = new Guest(new VirtioBlockDevice({ disk: new MemoryDisk(content), logger }), {
      view: deny(WRITABLE + 512),
    });
    expect(guest.send(header(IN, 0), 513).used).toBe(0);
    expect(statusOf(guest.send(header(GET_ID, 0), 21))).toBe(OK);
    expect(guest.session.status).toBe(0xf);
  });

  it('for the header: an I/O error', () => {
    guest = new Guest(new VirtioBlockDevice({ disk: new MemoryDisk(content), logger }), {
      view: deny(READABLE),
    });
    expect(statusOf(guest.send(header(IN, 0), 513))).toBe(IOERR);
  });
});

it('random requests in random splits, against a plain array', () => {
  const split = fc.array(fc.integer({ min: 0, max: 900 }), { maxLength: 6 });
  const request = fc.record({
    write: fc.boolean(),
    sector: fc.nat(SECTORS + 2),
    count: fc.integer({ min: 1, max: 6 }),
    seed: fc.nat(255),
    readable: split,
    writable: split,
  });
  fc.assert(
    fc.property(fc.array(request, { maxLength: 12 }), (requests) => {
      const disk = new MemoryDisk(new Uint8Array(SECTORS * 512));
      const target = new Guest(new VirtioBlockDevice({ disk }));
      const model = new Uint8Array(SECTORS * 512);
      for (const { write, sector, count, seed, ...splits } of requests) {
        const inside = sector + count <= SECTORS;
        const data = pattern(count * 512, seed);
        const { bytes } = write
          ? target.send(header(OUT, sector, data), 1, splits)
          : target.send(header(IN, sector), count * 512 + 1, splits);
        expect(bytes.at(-1)).toBe(inside ? OK : IOERR);
        if (inside && write) model.set(data, sector * 512);
        if (inside && !write) {
          expect(
            isSame(bytes.subarray(0, -1), model.subarray(sector * 512, (sector + count) * 512)),
          ).toBe(true);
        }
      }
      expect(isSame(disk.bytes, model)).toBe(true);
    }),
    { numRuns: 40 },
  );
});

/** Faster than a comparison that could say what differs. */
function isSame(bytes: Uint8Array, expected: Uint8Array): boolean {
  return bytes.length === expected.length && bytes.every((byte, index) => byte === expected[index]);
}
