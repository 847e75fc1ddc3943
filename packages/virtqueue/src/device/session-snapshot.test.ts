/** Snapshots of a session that is at work: whatever a driver has under way goes on in another session, once. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createDriverQueue, type DriverQueue } from '../driver/index.ts';
import { bringUp } from '../fixtures/bring-up.ts';
import { ArrayGuestMemory } from '../memory/array-guest-memory.ts';
import { createDescriptorChain } from '../ring/descriptor-chain.ts';
import { restoreSnapshots } from '../snapshot/restore-snapshots.ts';
import type { RestoredDriver, SessionSnapshot } from '../snapshot/snapshot.ts';
import type { SnapshotReader } from '../snapshot/snapshot-reader.ts';
import { DeviceSession } from './device-session.ts';
import type { DeviceContext, VirtioDevice } from './virtio-device.ts';

const SIZE = 8;
const UP = 0xf;
const NEEDS_RESET = 0x40;
const LAYOUTS = [
  ['split', 0n],
  ['split with EVENT_IDX', 1n << 29n],
  ['packed', 1n << 34n],
  ['packed with EVENT_IDX', (1n << 34n) | (1n << 29n)],
] as const;

/** Keeps up to `most` buffers before it uses the oldest with the sum of what it has read so far. */
class SlowDevice implements VirtioDevice {
  readonly deviceId = 42;
  readonly queueMaxSizes = [SIZE];
  readonly deviceFeatures = 5n;
  readonly configSize = 0;
  readonly #most: number;
  readonly #kept: number[] = [];
  readonly #chain = createDescriptorChain(SIZE);
  #sum = 0;
  #context: DeviceContext | undefined;

  constructor(most: number) {
    this.#most = most;
  }

  readConfig(): number {
    return 0;
  }

  writeConfig(): void {}

  activate(context: DeviceContext): void {
    this.#context = context;
  }

  /** One buffer a turn. */
  notifyQueue(): boolean {
    const queue = this.#context!.queues[0]!;
    const isThere = queue.pop(this.#chain);
    if (isThere) {
      this.#kept.push(this.#chain.head);
      this.#sum += this.#chain.readableLength;
    }
    if (this.#kept.length > this.#most || (!isThere && this.#kept.length > 0)) {
      queue.pushUsed(this.#kept.shift()!, this.#sum & 0xff);
    }
    // Once for all that was used.
    if (!isThere && queue.shouldInterrupt()) this.#context!.interrupts.usedBuffer(0);
    return isThere || this.#kept.length > 0 || queue.enableNotifications();
  }

  reset(): void {
    this.#kept.length = 0;
    this.#sum = 0;
  }

  snapshot() {
    return { version: 1, kept: [...this.#kept], sum: this.#sum };
  }

  prepareRestore(snapshot: SnapshotReader, driver: RestoredDriver): () => void {
    snapshot.version(1);
    const kept = snapshot.field('kept').integers(SIZE);
    if (!driver.isUp && kept.length > 0) snapshot.refuse('keeps buffers of nobody');
    const sum = snapshot.field('sum').integer(0, Number.MAX_SAFE_INTEGER);
    return () => {
      this.#kept.push(...kept);
      this.#sum = sum;
    };
  }
}

class Setting {
  readonly memory = new ArrayGuestMemory([{ base: 0, buffer: new ArrayBuffer(0x4000) }]);
  readonly interrupts: string[] = [];
  session: DeviceSession;
  readonly #most: number;

  constructor(most = 0) {
    this.#most = most;
    this.session = this.create();
  }

  create(): DeviceSession {
    return new DeviceSession({
      device: new SlowDevice(this.#most),
      memory: this.memory,
      packed: true,
      interrupts: {
        usedBuffer: () => this.interrupts.push('used'),
        configChange: () => this.interrupts.push('config'),
      },
    });
  }

  up(features: bigint): DriverQueue {
    return bringUp(this.session, features | (1n << 32n) | 5n, this.memory, SIZE);
  }

  /** What would go into a file. */
  take(): string {
    return JSON.stringify(this.session.snapshot());
  }

  /** Into a new session, which takes the place of the old one. */
  restore(snapshot: string): void {
    const session = this.create();
    restoreSnapshots([{ name: 'device', target: session, snapshot: JSON.parse(snapshot) }]);
    this.session = session;
  }
}

/** The snapshot with one thing in it changed. */
function damage(snapshot: string, change: (of: Record<string, never> & SessionSnapshot) => void) {
  const copy = JSON.parse(snapshot);
  change(copy);
  return JSON.stringify(copy);
}

describe.each(LAYOUTS)('%s', (_name, features) => {
  it('every buffer is used once, in order, however often the session is another', () => {
    const steps = fc.array(
      fc.constantFrom('add', 'add', 'kick', 'service', 'service', 'take', 'move'),
      { maxLength: 80 },
    );
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 3 }), steps, (most, sequence) => {
        const setting = new Setting(most);
        const driver = setting.up(features);
        const used = { token: -1, length: -1 };
        let [added, taken, sum] = [0, 0, 0];
        const takeAll = () => {
          while (driver.takeUsed(used)) {
            expect(used.token).toBe(taken);
            taken += 1;
          }
        };
        for (const step of [...sequence, 'kick']) {
          if (step === 'add' && driver.add([{ address: 0, length: (added % 5) + 1 }], [], added)) {
            sum += (added % 5) + 1;
            added += 1;
          } else if (step === 'kick') {
            if (driver.shouldNotify()) setting.session.notify(0);
          } else if (step === 'service') setting.session.service();
          else if (step === 'take') takeAll();
          else if (step === 'move') setting.restore(setting.take());
        }
        for (let turn = 0; turn < 100 && setting.session.service(); turn += 1) {
          if (turn % 3 === 0) setting.restore(setting.take());
        }
        takeAll();
        expect(taken).toBe(added);
        if (added > 0 && most === 0) expect(used.length).toBe(sum & 0xff);
        expect(setting.session.status).toBe(UP);
      }),
      { numRuns: 300 },
    );
  });

  it('an interrupt that is owed is raised by the other session', () => {
    const setting = new Setting();
    const driver = setting.up(features);
    driver.enableInterrupts(true);
    driver.add([{ address: 0, length: 1 }], [], 0);
    setting.session.notify(0);
    setting.restore(setting.take());
    expect(setting.interrupts).toEqual([]);
    while (setting.session.service()) setting.restore(setting.take());
    expect(setting.interrupts).toEqual(['used']);
  });

  it('a snapshot of a restored session is the same', () => {
    const setting = new Setting(2);
    const driver = setting.up(features);
    for (let token = 0; token < 5; token += 1) driver.add([{ address: 0, length: 1 }], [], token);
    setting.session.notify(0);
    for (let turn = 0; turn < 4; turn += 1) setting.session.service();
    const snapshot = setting.take();
    setting.restore(snapshot);
    expect(JSON.parse(setting.take())).toEqual(JSON.parse(snapshot));
  });

  it('a broken ring stays so', () => {
    const setting = new Setting();
    setting.up(features);
    setting.session.needsReset('of a test');
    const snapshot = damage(setting.take(), ({ queues }) => {
      Object.assign(queues[0]!.ring!, { broken: true });
    });
    setting.restore(snapshot);
    setting.session.notify(0);
    expect([setting.session.service(), setting.session.status]).toEqual([false, UP | NEEDS_RESET]);
  });
});

it('a driver that is half way through its initialisation goes on', () => {
  const setting = new Setting();
  const features = 1n << 32n;
  const driver = createDriverQueue({ features, size: 4, memory: setting.memory, address: 0x1000 });
  const { descriptorArea, driverArea, deviceArea } = driver.addresses;
  const steps: ((session: DeviceSession) => void)[] = [
    (session) => session.writeStatus(1),
    (session) => session.writeStatus(3),
    (session) => session.writeDriverFeatures(1, 1),
    (session) => session.writeStatus(0xb),
    (session) => {
      session.queue(0)!.size = 4;
    },
    (session) => session.queue(0)!.writeAddress('descriptorArea', 0, descriptorArea),
    (session) => session.queue(0)!.writeAddress('driverArea', 0, driverArea),
    (session) => session.queue(0)!.writeAddress('deviceArea', 0, deviceArea),
    (session) => session.queue(0)!.enable(),
    (session) => session.writeStatus(UP),
    (session) => session.configChanged(),
  ];
  for (const step of steps) {
    step(setting.session);
    const { status, configGeneration } = setting.session;
    setting.restore(setting.take());
    expect([setting.session.status, setting.session.configGeneration]).toEqual([
      status,
      configGeneration,
    ]);
  }
  driver.add([{ address: 0, length: 3 }], [], 9);
  setting.session.notify(0);
  while (setting.session.service());
  const used = { token: 0, length: 0 };
  expect([driver.takeUsed(used), used]).toEqual([true, { token: 9, length: 3 }]);
});

it('is not taken while the device is at work', () => {
  const setting = new Setting();
  const driver = setting.up(0n);
  driver.add([{ address: 0, length: 1 }], [], 0);
  let code = '';
  setting.session.device.notifyQueue = () => {
    try {
      setting.session.snapshot();
    } catch (error) {
      ({ code } = error as { code: string });
    }
    return false;
  };
  setting.session.notify(0);
  setting.session.service();
  expect(code).toBe('SNAPSHOT_BUSY');
});

type Change = (snapshot: Record<string, never> & SessionSnapshot) => void;
const change = (of: object, fields: object) => void Object.assign(of, fields);
const DAMAGES: [string, Change][] = [
  ['of another version', (all) => change(all, { version: 2 })],
  ['of another device', (all) => change(all, { deviceId: 41 })],
  ['with features that are not offered', (all) => change(all, { driverFeatures: '0x100000007' })],
  ['without a status', (all) => change(all, { status: undefined })],
  ['with fewer queues', (all) => change(all, { queues: [] })],
  ['with a queue twice', ({ queues }) => (queues as object[]).push(queues[0]!)],
  ['with addresses of four words', ({ queues }) => change(queues[0]!, { addresses: [0, 0, 0, 0] })],
  ['with an address of 40 bits', ({ queues }) => (queues[0]!.addresses as number[]).fill(2 ** 40)],
  ['with a misaligned ring', ({ queues }) => (queues[0]!.addresses as number[]).fill(3)],
  ['with a ring that is too large', ({ queues }) => change(queues[0]!, { size: 16 })],
  ['with a ring of a queue that is off', ({ queues }) => change(queues[0]!, { enabled: false })],
  ['with a ring before DRIVER_OK', (all) => change(all, { status: 0xb })],
  [
    'with more buffers than the queue has',
    ({ queues }) => change(queues[0]!.ring!, { nextAvail: 9 }),
  ],
  ['with an index of 17 bits', ({ queues }) => change(queues[0]!.ring!, { usedIdx: 0x1_0000 })],
  ['without what the device keeps', (all) => change(all, { device: null })],
  ['with what no device keeps', (all) => change(all, { device: { version: 1, kept: 3, sum: 0 } })],
];

it.each(DAMAGES)('a snapshot %s is refused, and changes nothing', (_what, make) => {
  const setting = new Setting();
  setting.up(0n);
  setting.session.notify(0);
  const snapshot = setting.take();
  const other = setting.create();
  other.writeStatus(1);
  const target = { name: 'device', target: other, snapshot: JSON.parse(damage(snapshot, make)) };
  expect(() => restoreSnapshots([target])).toThrow(expect.objectContaining({ code: 'SNAPSHOT' }));
  expect(other.status).toBe(1);
});

const PACKED_DAMAGES: [string, Change][] = [
  [
    'with a position beyond the queue',
    ({ queues }) => change(queues[0]!.ring!, { available: 0x8008 }),
  ],
  ['with a buffer that is not there', ({ queues }) => change(queues[0]!.ring!, { buffers: [] })],
  ['with a buffer twice', ({ queues }) => change(queues[0]!.ring!, { buffers: [0, 1, 0, 1] })],
  [
    'with an ID beyond the queue',
    ({ queues }) => change(queues[0]!.ring!, { buffers: [0, 1, 8, 1] }),
  ],
  ['with half a pair', ({ queues }) => change(queues[0]!.ring!, { buffers: [0, 1, 1] })],
];

it.each(PACKED_DAMAGES)('a packed ring %s is refused', (_what, make) => {
  const setting = new Setting(2);
  const driver = setting.up(1n << 34n);
  for (let token = 0; token < 2; token += 1) driver.add([{ address: 0, length: 1 }], [], token);
  setting.session.notify(0);
  for (let turn = 0; turn < 2; turn += 1) setting.session.service();
  const snapshot = setting.take();
  setting.restore(snapshot);
  expect(() => setting.restore(damage(snapshot, make))).toThrow(
    expect.objectContaining({ code: 'SNAPSHOT' }),
  );
});

it('any change of a snapshot is refused whole, or gives a session that works or asks for a reset', () => {
  const setting = new Setting(2);
  const driver = setting.up(1n << 34n);
  for (let token = 0; token < 4; token += 1) driver.add([{ address: 0, length: 1 }], [], token);
  setting.session.notify(0);
  for (let turn = 0; turn < 3; turn += 1) setting.session.service();
  const snapshot = setting.take();
  const values = fc.oneof(
    fc.integer(),
    fc.constantFrom(null, true, [], {}, '0x0', '', 2 ** 53, 0x8001, 1.5),
  );
  const paths = pathsOf(JSON.parse(snapshot));
  fc.assert(
    fc.property(fc.constantFrom(...paths), values, (path, value) => {
      const copy = JSON.parse(snapshot);
      const names = path.split('.');
      const last = names.pop()!;
      names.reduce((at, name) => at[name], copy)[last] = value;
      const session = setting.create();
      try {
        restoreSnapshots([{ name: 'device', target: session, snapshot: copy }]);
      } catch (error) {
        expect(error).toMatchObject({ name: 'VirtioError', code: 'SNAPSHOT' });
        expect(session.status).toBe(0);
        return;
      }
      session.notify(0);
      let left = 100;
      while (left > 0 && session.service()) left -= 1;
      expect(left).toBeGreaterThan(0);
    }),
    { numRuns: 1000 },
  );
});

/** All places in plain data, as paths. */
function pathsOf(value: unknown, path: readonly string[] = []): string[] {
  const inner =
    typeof value === 'object' && value !== null
      ? Object.entries(value).flatMap(([name, item]) => pathsOf(item, [...path, name]))
      : [];
  return path.length === 0 ? inner : [path.join('.'), ...inner];
}

it('what a part throws when it comes back resets all, the parts before it too', () => {
  const setting = new Setting();
  setting.up(0n);
  const snapshot = JSON.parse(setting.take());
  const [first, second] = [setting.create(), setting.create()];
  second.device.activate = () => {};
  Object.assign(second.device, { acceptFeatures: () => false });
  expect(() =>
    restoreSnapshots([
      { name: 'first', target: first, snapshot },
      { name: 'second', target: second, snapshot },
    ]),
  ).toThrow(expect.objectContaining({ code: 'SNAPSHOT_REFUSED' }));
  expect([first.status, second.status]).toEqual([0, 0]);
});

it('what cannot be restored is named', () => {
  const part = { name: 'the lamp', target: { reset() {} }, snapshot: {} };
  expect(() => restoreSnapshots([part])).toThrow(/the lamp cannot be restored/);
});
