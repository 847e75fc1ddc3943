/** That nothing of an update is lost or changed on its way over a socket. */
import { describe, expect, it } from 'vitest';
import type { InspectorUpdate } from './inspector-messages.ts';
import { decodeTold, encodeTold, isAnswer } from './told-codec.ts';

const FARTHEST = Number.MAX_SAFE_INTEGER;
const mapping = { virtStart: 0x1000, virtEnd: FARTHEST, physStart: 0x8000_0000, flags: 3 };

const update: InspectorUpdate = {
  time: 1_234_567,
  operation: 0,
  topology: {
    iommus: [{ name: 'iommu', place: '00:04.0' }],
    endpoints: [
      {
        iommu: 0,
        endpoint: 0x28,
        name: 'blk',
        kind: 'disk',
        place: '00:05.0',
        reserved: [{ start: 0xfee0_0000, end: 0xfeef_ffff, subtype: 1 }],
      },
    ],
  },
  domains: [
    {
      iommu: 0,
      domain: 1,
      bypass: false,
      endpoints: [0x28],
      mappings: [0x1000, FARTHEST, 0x8000_0000, 3],
    },
  ],
  changes: [
    { kind: 'attached', iommu: 0, domain: 1, endpoint: 0x28, bypass: false },
    { kind: 'mapped', iommu: 0, domain: 1, ...mapping },
    { kind: 'unmapped', iommu: 0, domain: 1, virtStart: 0, virtEnd: FARTHEST },
    { kind: 'detached', iommu: 0, domain: 1, endpoint: 0x28 },
  ],
  requests: [
    {
      time: 5,
      operation: 0,
      sequence: 7,
      iommu: 0,
      type: 3,
      status: 0,
      bytes: Uint8Array.from({ length: 256 }, (_, byte) => byte),
      writableLength: 4,
      usedLength: 4,
    },
    {
      time: 6,
      operation: 0,
      sequence: 8,
      iommu: 0,
      type: 99,
      status: -1,
      bytes: new Uint8Array(),
      writableLength: 0,
      usedLength: 0,
    },
  ],
  faults: [
    {
      time: 6,
      operation: 0,
      sequence: 0,
      iommu: 0,
      endpoint: 0x28,
      domain: undefined,
      reason: 1,
      access: 2,
      address: FARTHEST,
      delivered: true,
    },
  ],
  accesses: [
    {
      time: 5,
      iommu: 0,
      endpoint: 0x28,
      domain: 1,
      address: 0x1000,
      length: 512,
      access: 1,
      physical: 0x8000_0000,
    },
  ],
  queues: [
    {
      device: 'blk',
      queue: 0,
      name: 'requestq',
      size: 256,
      enabled: true,
      descriptorArea: 0xffff_c000,
      driverArea: 0xffff_d000,
      deviceArea: FARTHEST,
      kicked: true,
      ring: {
        layout: 'split',
        broken: false,
        inFlight: 2,
        kicks: { isAsked: true, at: 5 },
        interrupts: undefined,
        nextAvail: 7,
        availIdx: 9,
        usedIdx: 5,
      },
      kept: [3, 4],
    },
  ],
  latency: [
    {
      device: 'blk',
      queue: 0,
      used: 5,
      waiting: { count: 1, median: 7, worst: 7, interval: 1000, medians: [7], worsts: [7] },
      working: { count: 0, median: 0, worst: 0, interval: 1000, medians: [], worsts: [] },
    },
  ],
  traffic: [
    {
      iommu: 0,
      endpoint: 0x28,
      readBytes: 512,
      writtenBytes: 0,
      accesses: 1,
      faults: 1,
      interval: 1000,
      bytes: [0, 512],
    },
  ],
  steps: [
    {
      ...{ time: 5, operation: 0, count: 3 },
      latest: {
        type: 'engineStarted',
        endpoint: 0x40,
        source: 0,
        destination: FARTHEST,
        length: 9,
      },
    },
  ],
};

describe('an update as text', () => {
  it('comes back as it was', () => {
    const back = decodeTold(encodeTold(update)) as InspectorUpdate;
    expect(isAnswer(back)).toBe(false);
    expect(back).toEqual(update);
    expect(back.requests[0]!.bytes).toBeInstanceOf(Uint8Array);
  });

  it('comes back without what it did not have', () => {
    const { topology: _, domains: __, ...changes } = update;
    const back = decodeTold(encodeTold(changes));
    expect('topology' in back || 'domains' in back).toBe(false);
    expect(back).toEqual(changes);
  });
});

describe('an answer as text', () => {
  const query = { iommu: 0, endpoint: 0x40, address: FARTHEST, access: 2 };
  const refused = {
    ...{ endpoint: 0x40, address: FARTHEST, access: 2, domain: 4, bypass: false },
    ...{ stage1: mapping, guestPhysical: undefined, stage2: undefined },
    refused: 'the mapping there does not allow it',
  };

  it.each([
    ['of an endpoint', { query, walk: refused }],
    ['of one that is not there', { query, walk: undefined }],
  ])('%s is one, and says the same', (_name, answer) => {
    const back = decodeTold(encodeTold(answer));
    expect(isAnswer(back)).toBe(true);
    expect(back).toEqual(answer);
  });
});
