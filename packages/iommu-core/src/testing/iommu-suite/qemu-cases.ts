/** Cases of iommuSuite that QEMU has as its qtests of virtio-iommu, told over again step by step. */
import { expect } from 'vitest';
import { all, feature, type IommuCase } from './iommu-case.ts';
import type { IommuSetting } from './iommu-setting.ts';
import { detachBytes } from './wire.ts';

/** One request and its answer. */
type Step = readonly [what: string, ask: (setting: IommuSetting) => string, status: string];

function follow(setting: IommuSetting, steps: readonly Step[]): void {
  for (const [what, ask, status] of steps) expect(ask(setting), what).toBe(status);
}

const d = (setting: IommuSetting, number: number) => setting.domain(number);

/** "UNMAP request", the seven examples: what is mapped, what is unmapped, what comes of it, what is left. */
const EXAMPLES: readonly (readonly [
  maps: readonly (readonly [number, number])[],
  unmap: readonly [number, number],
  status: string,
  left: readonly number[],
])[] = [
  [[], [0, 4], 'OK', []],
  [[[0, 9]], [0, 9], 'OK', []],
  [
    [
      [0, 4],
      [5, 9],
    ],
    [0, 9],
    'OK',
    [],
  ],
  [[[0, 9]], [0, 4], 'RANGE', [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]],
  [
    [
      [0, 4],
      [5, 9],
    ],
    [0, 4],
    'OK',
    [5, 6, 7, 8, 9],
  ],
  [[[0, 4]], [0, 9], 'OK', []],
  [
    [
      [0, 4],
      [10, 14],
    ],
    [0, 14],
    'OK',
    [],
  ],
];

export const qemuCases: readonly IommuCase[] = [
  {
    name: 'config (QEMU)',
    section: 'Device configuration layout',
    level: 'ours',
    says: 'The input range goes from 0 to 2^32 - 1 or beyond, and domains are those of 32 bits; a device may have less.',
    needs: (setting) =>
      setting.domainRange.end === 0xffff_ffff
        ? all(feature('INPUT_RANGE'), feature('BYPASS_CONFIG'))(setting)
        : 'this device has fewer domains',
    run(setting) {
      expect(setting.inputRange.start).toBe(0);
      expect(setting.inputRange.end).toBeGreaterThanOrEqual(0xffff_ffff);
      expect(setting.domainRange).toEqual({ start: 0, end: 0xffff_ffff });
      expect(setting.bypass).toBe(1);
    },
  },
  {
    name: 'attach_detach (QEMU)',
    section: 'ATTACH request',
    level: 'SHOULD',
    says: 'An endpoint is attached, moved and detached, with mappings and without; what does not exist is refused.',
    needs: feature('MAP_UNMAP'),
    run(setting) {
      const { absentEndpoint } = setting.device;
      follow(setting, [
        ['ATTACH', (s) => s.attach(d(s, 0)), 'OK'],
        [
          'ATTACH of an endpoint that is not there',
          (s) => s.attach(d(s, 0), absentEndpoint),
          'NOENT',
        ],
        ['DETACH of one', (s) => s.detach(d(s, 0), absentEndpoint), 'NOENT'],
        ['ATTACH to another domain', (s) => s.attach(d(s, 1)), 'OK'],
        ['DETACH from the first one', (s) => s.detach(d(s, 0)), 'INVAL'],
        ['DETACH', (s) => s.detach(d(s, 1)), 'OK'],
        ['ATTACH again', (s) => s.attach(d(s, 1)), 'OK'],
        ['MAP', (s) => s.mapPages(d(s, 1), 0), 'OK'],
        ['MAP behind it', (s) => s.mapPages(d(s, 1), 1, 4), 'OK'],
        ['DETACH with mappings', (s) => s.detach(d(s, 1)), 'OK'],
      ]);
      const answer = setting.port.send(detachBytes(d(setting, 1), absentEndpoint));
      expect([...answer.writable.subarray(1)], 'reserved of the tail').toEqual([0, 0, 0]);
    },
  },
  {
    name: 'map_unmap (QEMU)',
    section: 'UNMAP request',
    level: 'SHOULD',
    says: 'MAP and UNMAP follow the standard, with its examples 1 to 7.',
    needs: feature('MAP_UNMAP'),
    run(setting) {
      const none = d(setting, 5);
      const domain = setting.attached();
      follow(setting, [
        ['MAP to a domain that is not there', (s) => s.mapPages(none, 0), 'NOENT'],
        ['MAP', (s) => s.mapPages(domain, 0, 15), 'OK'],
        ['MAP over it', (s) => s.mapPages(domain, 2, 17), 'INVAL'],
        ['UNMAP from a domain that is not there', (s) => s.unmapPages(none, 0, 15), 'NOENT'],
        ['UNMAP of a part', (s) => s.unmapPages(domain, 2, 15), 'RANGE'],
        ['UNMAP of more', (s) => s.unmapPages(domain, 0, 16), 'OK'],
      ]);
      for (const [index, [maps, unmap, status, left]] of EXAMPLES.entries()) {
        const example = `example ${index + 1}`;
        for (const [first, last] of maps) {
          expect(setting.mapPages(domain, first, last), `${example}: MAP`).toBe('OK');
        }
        expect(setting.unmapPages(domain, ...unmap), `${example}: UNMAP`).toBe(status);
        expect(setting.mappedPages(domain), `${example}: what is left`).toEqual(left);
        expect(setting.unmapPages(domain, 0, 15)).toBe('OK');
      }
    },
  },
];
