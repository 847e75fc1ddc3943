/** Cases of iommuSuite about requests as such: their head and tail, lengths, descriptors, order. */
import { expect } from 'vitest';
import { feature, type IommuCase } from './iommu-case.ts';
import type { IommuSetting } from './iommu-setting.ts';
import { attachBytes, detachBytes, mapBytes, probeBytes, READ, unmapBytes } from './wire.ts';

const OPERATIONS = 'Device operations';

/** A request of each type that succeeds, in an order in which they do. */
function eachRequest(setting: IommuSetting, headReserved = 0): [string, number[]][] {
  const domain = setting.domain(1);
  const { endpoint } = setting;
  const odd = { headReserved };
  const [start, end] = [setting.start(3), setting.end(3)];
  return [
    ['ATTACH', attachBytes(domain, endpoint, 0, odd)],
    ['MAP', mapBytes(domain, start, end, setting.phys(3), READ, odd)],
    ['UNMAP', unmapBytes(domain, start, end, odd)],
    ['DETACH', detachBytes(domain, endpoint, odd)],
  ];
}

const cuts = (count: number, length: number) => new Array<number>(count).fill(length);

export const framingCases: readonly IommuCase[] = [
  {
    name: 'the used length of ATTACH, DETACH, MAP and UNMAP is 4',
    section: OPERATIONS,
    level: 'described',
    says: 'The used length covers the tail that was written, whether the request succeeds or not.',
    needs: feature('MAP_UNMAP'),
    run(setting) {
      const { absentEndpoint } = setting.device;
      for (const [type, request] of eachRequest(setting)) {
        const { used, status } = setting.port.send(request);
        expect([type, used, status]).toEqual([type, 4, 'OK']);
      }
      const none = setting.domain(7);
      for (const [type, request] of [
        ['ATTACH', attachBytes(none, absentEndpoint, 0)],
        ['DETACH', detachBytes(none, absentEndpoint)],
        ['MAP', mapBytes(none, setting.start(0), setting.end(0), setting.phys(0), READ)],
        ['UNMAP', unmapBytes(none, setting.start(0), setting.end(0))],
      ] as const) {
        const { used, status } = setting.port.send(request);
        expect([type, used, status]).toEqual([type, 4, 'NOENT']);
      }
    },
  },
  {
    name: 'the used length of PROBE is probe_size and 4',
    section: 'PROBE request',
    level: 'described',
    says: 'The used length covers properties and tail that were written.',
    needs: feature('PROBE'),
    run(setting) {
      expect(setting.probe(setting.endpoint).used).toBe(setting.probeSize + 4);
    },
  },
  {
    name: 'the used length of a PROBE that fails lets the driver find the tail',
    section: 'PROBE request',
    level: 'ours',
    says: 'The used length is that of the whole writable part, on an error too.',
    needs: feature('PROBE'),
    run(setting) {
      const { used, status } = setting.probe(setting.device.absentEndpoint);
      expect([used, status]).toEqual([setting.probeSize + 4, 'NOENT']);
    },
  },
  {
    name: 'nothing is written for a type that is not known',
    section: OPERATIONS,
    level: 'SHOULD',
    says: 'A request of unknown type comes back as it was, with the used length 0.',
    run(setting) {
      for (const type of [0, 6, 0x40, 0xff]) {
        const { used, writable } = setting.port.send([type, ...cuts(35, 0)], 4);
        expect({ type, used }).toEqual({ type, used: 0 });
        expect([...writable], 'the buffer').toEqual([0xee, 0xee, 0xee, 0xee]);
      }
    },
  },
  {
    name: 'reserved of the head is ignored',
    section: OPERATIONS,
    level: 'MUST',
    says: '`reserved` of a request’s head is ignored.',
    needs: feature('MAP_UNMAP'),
    run(setting) {
      for (const [type, request] of eachRequest(setting, 0xff)) {
        expect([type, setting.port.send(request).status]).toEqual([type, 'OK']);
      }
      if (!setting.has('PROBE')) return;
      expect(setting.probe(setting.endpoint, setting.probeSize, { headReserved: 1 }).status).toBe(
        'OK',
      );
    },
  },
  {
    name: 'reserved of the tail is zero',
    section: OPERATIONS,
    level: 'SHOULD',
    says: '`reserved` of the tail is 0.',
    needs: feature('MAP_UNMAP'),
    run(setting) {
      const failing = detachBytes(setting.domain(1), setting.device.absentEndpoint);
      for (const [, request] of [...eachRequest(setting), ['', failing] as const]) {
        expect([...setting.port.send(request).writable.subarray(1)]).toEqual([0, 0, 0]);
      }
    },
  },
  {
    name: 'a request is split over descriptors in any way',
    section: 'Message Framing',
    level: 'MUST',
    says: 'The device makes no assumption about the arrangement of descriptors.',
    needs: feature('MAP_UNMAP'),
    run(setting) {
      for (const split of [
        { readable: cuts(35, 1), writable: cuts(3, 1) },
        { readable: [4], writable: [1] },
        { readable: [5, 11], writable: [2, 1] },
      ]) {
        for (const [type, request] of eachRequest(setting)) {
          const { used, status } = setting.port.send(request, 4, split);
          expect([type, used, status]).toEqual([type, 4, 'OK']);
        }
      }
      if (!setting.has('PROBE')) return;
      const { probeSize, endpoint } = setting;
      const whole = setting.port.send(probeBytes(endpoint), probeSize + 4);
      const split = { readable: [3, 7], writable: [1, 3, 20, Math.max(1, probeSize - 25), 2] };
      const cut = setting.port.send(probeBytes(endpoint), probeSize + 4, split);
      expect([...cut.writable]).toEqual([...whole.writable]);
    },
  },
  {
    name: 'a request without room for a tail is given back unwritten',
    section: OPERATIONS,
    level: 'described',
    says: 'A request that cannot be parsed comes back without a status; the device goes on.',
    run(setting) {
      const domain = setting.domain(1);
      const short = setting.port.send(attachBytes(domain, setting.endpoint, 0), 3);
      expect(short.used, 'the used length, without room for a tail').toBe(0);
      const half = setting.port.send(attachBytes(domain, setting.endpoint, 0).slice(0, 12), 4);
      expect(half.used, 'the used length of half a request').toBe(0);
      expect(setting.attach(domain)).toBe('OK');
    },
  },
  {
    name: 'requests are done in the order of the ring',
    section: 'The Virtqueue Available Ring',
    level: 'ours',
    says: 'Requests that are kicked together are carried out in the order in which they were made available.',
    needs: feature('MAP_UNMAP'),
    run(setting) {
      const domain = setting.attached();
      const [start, end] = [setting.start(2), setting.end(4)];
      const map = mapBytes(domain, start, end, setting.phys(2), READ);
      const unmap = unmapBytes(domain, start, end);
      expect(setting.port.sendAll([map, map, unmap, map, unmap, unmap, map, map])).toEqual([
        ...['OK', 'INVAL', 'OK', 'OK', 'OK', 'OK', 'OK', 'INVAL'],
      ]);
    },
  },
];
