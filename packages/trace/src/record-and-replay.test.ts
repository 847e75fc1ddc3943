/** What is recorded of a function is replayed with a fresh one: it sees the same, and whatever it does otherwise is noticed. */
import { ArrayGuestMemory } from '@viommu/virtqueue';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { MOODY_CONTENT, MoodyParts } from './fixtures/moody-parts.ts';
import { type Action, ScriptedFunction } from './fixtures/scripted-function.ts';
import type { TraceStep } from './format/trace-events.ts';
import { TraceReader } from './format/trace-reader.ts';
import { TraceRecorder } from './record/trace-recorder.ts';
import { TraceDivergence } from './replay/trace-divergence.ts';
import { TraceReplay } from './replay/trace-replay.ts';
import { TraceError } from './trace-error.ts';

const RAM = { base: 0x1000, length: 0x8000 };

const action: fc.Arbitrary<Action> = fc.oneof(
  fc.record({
    act: fc.constantFrom('read', 'write'),
    // Now and then where there is no memory.
    address: fc.integer({ min: 0x0ff0, max: 0x9100 }),
    length: fc.oneof(fc.constantFrom(2, 4), fc.integer({ min: 1, max: 300 })),
    fill: fc.nat(255),
  }),
  fc.record({ act: fc.constant('window'), address: fc.nat(0xa000) }),
  fc.record({ act: fc.constant('intx'), asserted: fc.boolean() }),
  fc.record({ act: fc.constant('msix'), vector: fc.nat(3) }),
  fc.record({
    act: fc.constantFrom('diskRead', 'diskWrite'),
    sector: fc.nat(60),
    count: fc.integer({ min: 1, max: 4 }),
    fill: fc.nat(255),
  }),
  fc.record({ act: fc.constant('diskFlush') }),
  fc.record({ act: fc.constant('random'), length: fc.integer({ min: 1, max: 40 }) }),
  fc.record({ act: fc.constant('receive') }),
  fc.record({
    act: fc.constant('send'),
    length: fc.integer({ min: 1, max: 200 }),
    fill: fc.nat(255),
  }),
  fc.record({ act: fc.constant('networkState') }),
  fc.record({ act: fc.constant('moreWork') }),
) as fc.Arbitrary<Action>;

const actions = fc.array(action, { minLength: 1, maxLength: 30 });

/** @param turns how often the function is served */
function record(list: readonly Action[], turns: number, isShared: boolean) {
  const chunks: Uint8Array[] = [];
  const recorder = new TraceRecorder({
    title: 'a test',
    versions: {},
    machine: {},
    contentOf: () => MOODY_CONTENT,
    write: (chunk) => chunks.push(chunk),
  });
  const moody = new MoodyParts();
  const original = new ScriptedFunction(recorder.recordParts(moody), list);
  const recorded = recorder.recordFunction({ name: 'scripted', bdf: 8, function: original });
  recorder.start();
  const buffer = isShared ? new SharedArrayBuffer(RAM.length) : new ArrayBuffer(RAM.length);
  const memory = new ArrayGuestMemory([{ base: RAM.base, buffer }]);
  recorded.connect({ memory, ownsMsixTable: false, signalMsix() {}, setIntx() {} });
  for (let turn = 0; turn < turns; turn += 1) {
    // The driver changes something meanwhile.
    new Uint8Array(buffer).fill(turn, 0x400 * turn, 0x400 * turn + 0x300);
    recorded.writeBar(0, 4, 4, turn);
    recorded.service();
    recorded.readBar(0, 4, 4);
    recorded.readConfig(8, 2);
    moody.network.tell();
    if (turn === 1) {
      memory.setRegions([{ base: RAM.base, buffer, length: 0x4000 }]);
      recorded.memoryChanged!();
    }
  }
  recorded.writeConfig(4, 2, 7);
  recorded.reset();
  recorded.disconnect();
  recorder.end();
  const reader = new TraceReader();
  const steps = chunks.flatMap((chunk) => [...reader.push(chunk)]);
  reader.finish();
  expect(reader.isComplete).toBe(true);
  return { header: reader.header!, steps, seen: original.seen };
}

type Recording = ReturnType<typeof record>;

function replay({ header, steps }: Pick<Recording, 'header' | 'steps'>, list: readonly Action[]) {
  const replayed = new TraceReplay(header);
  const fresh = new ScriptedFunction(replayed.parts, list);
  replayed.addFunction({ name: 'scripted', function: fresh });
  for (const step of steps) replayed.apply(step);
  return fresh.seen;
}

describe('a function that does everything', () => {
  it('sees the same when it is replayed', () => {
    fc.assert(
      fc.property(
        actions,
        fc.integer({ min: 1, max: 5 }),
        fc.boolean(),
        (list, turns, isShared) => {
          const recording = record(list, turns, isShared);
          expect(replay(recording, list)).toEqual(recording.seen);
        },
      ),
    );
  });

  it('is found out when it does one thing less, or more', () => {
    // A window is nothing that is done.
    const visible = actions.map((list) =>
      list.filter(({ act }) => act !== 'window' && act !== 'networkState'),
    );
    fc.assert(
      fc.property(visible, fc.nat(29), action, (list, at, added) => {
        fc.pre(list.length > 0 && !list.some(({ act }) => act === 'moreWork' || act === 'send'));
        const recording = record(list, 2, false);
        const less = list.filter((_, index) => index !== at % list.length);
        expect(() => replay(recording, less)).toThrow(TraceDivergence);
        if (['window', 'networkState', 'send'].includes(added.act)) return;
        expect(() => replay(recording, [...list, added])).toThrow(TraceDivergence);
      }),
    );
  });
});

describe('a divergence', () => {
  const LIST: readonly Action[] = [
    { act: 'read', address: RAM.base, length: 16, fill: 0 },
    { act: 'write', address: RAM.base, length: 16, fill: 9 },
    { act: 'write', address: RAM.base + 64, length: 200, fill: 9 },
    { act: 'diskWrite', sector: 1, count: 1, fill: 9 },
    { act: 'msix', vector: 1 },
    { act: 'random', length: 4 },
  ];
  let recording: Recording;

  beforeEach(() => {
    recording = record(LIST, 1, false);
  });

  it.each([
    ['reads elsewhere', 0, { address: RAM.base + 1 }, 'dmaRead: address 0x1001'],
    ['reads less', 0, { length: 15 }, 'length 15'],
    ['writes other bytes', 1, { fill: 8 }, 'with other bytes'],
    ['writes other bytes, and many', 2, { fill: 8 }, 'with other bytes'],
    ['writes elsewhere', 2, { address: RAM.base }, 'dmaWrite: address 0x1000'],
    ['writes something else to the disk', 3, { fill: 8 }, 'diskWrite: disk 0'],
    ['sends another message', 4, { vector: 2 }, 'msix: vector 2'],
    ['takes fewer random bytes', 5, { length: 3 }, 'random: 3 bytes'],
  ])('says so when the function %s', (_name, index, change, text) => {
    const changed = LIST.map((one, at) => (at === index ? { ...one, ...change } : one)) as Action[];
    let caught: unknown;
    try {
      replay(recording, changed);
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(TraceDivergence);
    const { actual, step, message } = caught as TraceDivergence;
    expect(actual.includes(text) || message.includes(text)).toBe(true);
    expect(step.operation.kind).toBe('service');
  });

  it('says so when a register reads otherwise', () => {
    const steps = recording.steps.map((step): TraceStep => {
      const { operation } = step;
      return operation.kind === 'readConfig'
        ? { ...step, operation: { ...operation, value: 17 } }
        : step;
    });
    expect(() => replay({ ...recording, steps }, LIST)).toThrow('0x11');
  });
});

describe('a recorder', () => {
  it('notes memory that is added, though windows stay what they are', () => {
    const list: Action[] = [{ act: 'window', address: RAM.base + 0x4000 }];
    const chunks: Uint8Array[] = [];
    const write = (chunk: Uint8Array) => void chunks.push(chunk);
    const recorder = new TraceRecorder({ title: '', versions: {}, machine: {}, write });
    const original = new ScriptedFunction(recorder.recordParts(new MoodyParts()), list);
    const recorded = recorder.recordFunction({ name: 'scripted', bdf: 8, function: original });
    recorder.start();
    const buffer = new ArrayBuffer(RAM.length);
    const memory = new ArrayGuestMemory([{ base: RAM.base, buffer, length: 0x4000 }]);
    recorded.connect({ memory, ownsMsixTable: true, signalMsix() {}, setIntx() {} });
    const { generation } = memory;
    memory.setRegions([{ base: RAM.base, buffer }]);
    memory.generation = generation;
    recorded.memoryChanged!();
    recorded.service();
    recorder.end();
    const reader = new TraceReader();
    const steps = chunks.flatMap((chunk) => [...reader.push(chunk)]);
    expect(replay({ header: reader.header!, steps }, list)).toEqual(original.seen);
  });

  it('must be started before a function is used', () => {
    const recorder = new TraceRecorder({ title: '', versions: {}, machine: {}, write() {} });
    const original = new ScriptedFunction(new MoodyParts(), []);
    const recorded = recorder.recordFunction({ name: 'scripted', bdf: 8, function: original });
    expect(() => recorded.reset()).toThrow('call start() first');
  });
});

describe('a replay', () => {
  it('is of the functions of the trace alone', () => {
    const { header, steps } = record([], 1, false);
    const replayed = new TraceReplay(header);
    const fresh = new ScriptedFunction(replayed.parts, []);
    expect(() => replayed.addFunction({ name: 'another', function: fresh })).toThrow(TraceError);
    expect(() => replayed.apply(steps[0]!)).toThrow('no function 0');
  });

  it.each([
    ['beyond its BAR', { kind: 'readBar', bar: 0, offset: 4094, width: 4, value: 0 }],
    ['in a BAR that is not there', { kind: 'writeBar', bar: 3, offset: 0, width: 4, value: 0 }],
    ['beyond the configuration space', { kind: 'readConfig', offset: 256, width: 1, value: 0 }],
    [
      'with a value that it has no room for',
      { kind: 'writeConfig', offset: 4, width: 1, value: 256 },
    ],
    ['of three bytes', { kind: 'readConfig', offset: 4, width: 3, value: 0 }],
  ] as const)('accesses no register %s', (_name, access) => {
    const { header, steps } = record([], 1, false);
    const connect = steps.findIndex(({ operation }) => operation.kind === 'connect');
    const operation = { ...access, time: 0, function: 0 };
    const stray: TraceStep = { index: connect + 1, time: 0, operation, effects: [] };
    expect(() => replay({ header, steps: [...steps.slice(0, connect + 1), stray] }, [])).toThrow(
      TraceError,
    );
  });

  it('keeps no more than it may', () => {
    const list: Action[] = [{ act: 'write', address: RAM.base, length: 9000, fill: 1 }];
    const { header, steps } = record(list, 1, false);
    const replayed = new TraceReplay(header, { memoryLimit: 8192 });
    const fresh = new ScriptedFunction(replayed.parts, list);
    replayed.addFunction({ name: 'scripted', function: fresh });
    expect(() => {
      for (const step of steps) replayed.apply(step);
    }).toThrow('needs more than 8192 bytes');
  });
});
