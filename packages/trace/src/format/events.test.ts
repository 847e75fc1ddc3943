/** Events as bytes and back: nothing is lost, however the bytes come, and nothing but TraceError comes of damage. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesText, joinBytes, sameBytes, textBytes } from '../fixtures/bytes.ts';
import { TraceError } from '../trace-error.ts';
import { EventDecoder } from './event-decoder.ts';
import { EventEncoder } from './event-encoder.ts';
import { EVENT_FIELDS, EVENT_KINDS, type FieldType } from './event-fields.ts';
import type { TraceEvent, TraceHeader } from './trace-events.ts';
import { TraceReader } from './trace-reader.ts';

const HEADER: TraceHeader = {
  title: 'a machine',
  startedAt: '2026-11-26T00:00:00.000Z',
  versions: { node: 'v20' },
  machine: { iommus: [] },
  functions: [{ name: 'iommu', bdf: 0x20 }],
  disks: [{ size: 512, readOnly: false, content: { kind: 'pattern', seed: 7 } }],
  networks: [{ largestFrame: 1514 }],
};

const NUMBER = fc.oneof(
  fc.nat(300),
  fc.maxSafeNat(),
  fc.constant(Number.MAX_SAFE_INTEGER),
  fc.constant(2 ** 32),
);
/** The place behind a range is a number, too. */
const ADDRESS = fc.oneof(
  fc.nat(5000),
  fc.nat({ max: 2 ** 31 - 1 }).map((n) => n * 2 ** 20),
);

function field(type: FieldType, name: string): fc.Arbitrary<unknown> {
  switch (type) {
    case 'number':
      return name === 'length' ? fc.nat(100_000) : NUMBER;
    case 'address':
      return ADDRESS;
    case 'flag':
      return fc.boolean();
    case 'bytes':
      return fc.uint8Array({ maxLength: 200 });
    case 'text':
      return fc.string({ unit: 'grapheme', maxLength: 20 });
    case 'regions':
      return fc.array(fc.record({ start: NUMBER, end: NUMBER, access: fc.nat(3) }), {
        maxLength: 5,
      });
  }
}

const EVENT = fc.constantFrom(...EVENT_KINDS).chain((kind) =>
  fc.record({
    kind: fc.constant(kind),
    ...Object.fromEntries(
      Object.entries<FieldType>(EVENT_FIELDS[kind]).map(([name, type]) => [
        name,
        field(type, name),
      ]),
    ),
  }),
) as fc.Arbitrary<TraceEvent>;

function encode(events: readonly TraceEvent[]): Uint8Array {
  const chunks: Uint8Array[] = [];
  const encoder = new EventEncoder(HEADER, (chunk) => chunks.push(chunk));
  for (const event of events) encoder.encode(event);
  encoder.flush();
  return joinBytes(chunks);
}

function decode(bytes: Uint8Array, chunkLength: number): { header: unknown; events: TraceEvent[] } {
  const decoder = new EventDecoder();
  const events: TraceEvent[] = [];
  let header: unknown;
  for (let at = 0; at < bytes.length; at += chunkLength) {
    decoder.push(bytes.subarray(at, at + chunkLength));
    header ??= decoder.header();
    if (header === undefined) continue;
    for (let event = decoder.event(); event !== undefined; event = decoder.event()) {
      events.push(event);
    }
  }
  expect(decoder.waiting).toBe(0);
  return { header, events };
}

describe('events of a trace', () => {
  it('come back as they were, from chunks of any length', () => {
    fc.assert(
      fc.property(
        fc.array(EVENT, { maxLength: 40 }),
        fc.integer({ min: 1, max: 900 }),
        (events, chunk) => {
          expect(decode(encode(events), chunk)).toEqual({ header: HEADER, events });
        },
      ),
    );
  });

  it('come back when one is longer than a chunk of the encoder', () => {
    const bytes = Uint8Array.from({ length: 300_000 }, (_, index) => index * 7);
    const events: TraceEvent[] = [
      { kind: 'dmaRead', address: 2 ** 40, bytes },
      { kind: 'dmaReadAgain', address: 2 ** 40 + 300_000, length: 4096 },
    ];
    const [read, again] = decode(encode(events), 65536).events;
    expect(again).toEqual(events[1]);
    expect(read).toMatchObject({ kind: 'dmaRead', address: 2 ** 40 });
    expect(sameBytes((read as { bytes: Uint8Array }).bytes, bytes)).toBe(true);
  });

  it('take a few bytes each: an access that goes on where the last one ended takes three', () => {
    const again = (index: number): TraceEvent => ({
      kind: 'dmaReadAgain',
      address: 0x4000_0000 + 16 * index,
      length: 16,
    });
    const counts = [1, 2, 3].map(
      (count) => encode(Array.from({ length: count }, (_, i) => again(i))).length,
    );
    expect(counts[2]! - counts[1]!).toBe(3);
  });

  it('are refused when they are damaged, by TraceError alone', () => {
    const whole = encode([
      {
        kind: 'regions',
        time: 1,
        function: 0,
        isShared: true,
        regions: [{ start: 0, end: 9, access: 3 }],
      },
      { kind: 'connect', time: 5, function: 0, ownsMsixTable: true },
      { kind: 'dmaWrite', address: 5, bytes: Uint8Array.of(1, 2, 3) },
      { kind: 'end', time: 1 },
    ]);
    const damage = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), {
      minLength: 1,
      maxLength: 6,
    });
    let refused = 0;
    fc.assert(
      fc.property(damage, fc.nat(whole.length), (changes, length) => {
        const bytes = whole.slice(0, length);
        for (const [at, value] of changes) if (at < length) bytes[at] = value;
        const reader = new TraceReader();
        try {
          for (const _ of reader.push(bytes));
          reader.finish();
        } catch (error) {
          expect(error).toBeInstanceOf(TraceError);
          refused += 1;
        }
      }),
      { numRuns: 500 },
    );
    expect(refused).toBeGreaterThan(100);
  });
});

describe('TraceReader', () => {
  const STEPS: readonly TraceEvent[] = [
    { kind: 'service', time: 10, function: 0 },
    { kind: 'dmaWrite', address: 5, bytes: Uint8Array.of(1) },
    { kind: 'served', workLeft: false },
    { kind: 'reset', time: 5, function: 0 },
  ];

  function read(events: readonly TraceEvent[]) {
    const reader = new TraceReader();
    const steps = [...reader.push(encode(events))];
    reader.finish();
    return { steps, isComplete: reader.isComplete };
  }

  it('gives each operation with its effects, and counts time from the beginning', () => {
    const { steps, isComplete } = read([...STEPS, { kind: 'end', time: 1 }]);
    expect(isComplete).toBe(true);
    expect(steps).toEqual([
      { index: 0, time: 10, operation: STEPS[0], effects: STEPS.slice(1, 3) },
      { index: 1, time: 15, operation: STEPS[3], effects: [] },
    ]);
  });

  it('keeps the last operation of a trace that was cut off to itself: it may lack effects', () => {
    const { steps, isComplete } = read(STEPS);
    expect(isComplete).toBe(false);
    expect(steps.map(({ index }) => index)).toEqual([0]);
  });

  it.each([
    ['an effect of nothing', [STEPS[1]!]],
    ['something behind the end', [STEPS[3]!, { kind: 'end', time: 1 }, STEPS[3]!]],
  ] satisfies [string, TraceEvent[]][])('refuses %s', (_name, events) => {
    expect(() => read(events)).toThrow(TraceError);
  });

  it.each([
    ['no text', Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8), 'no trace'],
    ['a later version', textBytes('vtrace\0\x02'), 'version 2'],
  ])('refuses %s', (_name, bytes, message) => {
    const padded = new Uint8Array(40);
    padded.set(bytes);
    expect(() => [...new TraceReader().push(padded)]).toThrow(message);
  });

  it.each([
    ['"bdf":32', '"bdf":"x"', 'bdf'],
    ['"pattern"', '"weather"', 'content.kind'],
    ['"startedAt"', '"startedBy"', 'startedAt'],
  ])('tells what in a header is damaged: %s', (text, damaged, field) => {
    // The header's length stays right: what it lacks is white space.
    const missing = ' '.repeat(Math.max(text.length - damaged.length, 0));
    const bytes = textBytes(bytesText(encode(STEPS)).replace(text, damaged + missing));
    bytes[8]! += Math.max(damaged.length - text.length, 0);
    expect(() => [...new TraceReader().push(bytes)]).toThrow(`"${field}"`);
  });
});
