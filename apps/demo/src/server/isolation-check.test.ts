import type { TranslationBackend } from '@viommu/iommu-core';
import { describe, expect, it } from 'vitest';
import { IsolationCheck } from './isolation-check.ts';

const le32 = (value: number) => [value & 0xff, value >> 8, 0, 0];
const le64 = (value: number) => [...le32(value), 0, 0, 0, 0];
const attach = (domain: number, endpoint: number) => [
  ...[1, 0, 0, 0, ...le32(domain)],
  ...[...le32(endpoint), ...le64(0)],
];
const detach = (domain: number, endpoint: number) => [2, ...attach(domain, endpoint).slice(1)];
const map = [3, 0, 0, 0, ...le32(1), ...le64(0x1000), ...le64(0x1fff), ...le64(0x5000), 3, 0, 0, 0];
const unmap = [4, 0, 0, 0, ...le32(1), ...le64(0x1000), ...le64(0x1fff), 0, 0, 0, 0];

/** @param reached physical address that each endpoint is let to, if any */
function check(reached: Readonly<Record<number, number>>, requests: readonly number[][]) {
  const isolation = new IsolationCheck();
  const backend = {
    translate(endpoint: number, ...[, , , result]: [number, number, number, object]) {
      const physical = reached[endpoint];
      Object.assign(result, { physical, length: 1, bypass: false });
      return physical === undefined ? 1 : 0;
    },
  } as unknown as TranslationBackend;
  isolation.watch(backend, [8, 9]);
  for (const bytes of requests) {
    const length = bytes.length;
    const answered = { writableLength: 4, usedLength: 4, status: 0, length };
    isolation.observer.request?.({ ...answered, type: bytes[0]!, bytes: Uint8Array.from(bytes) });
  }
  isolation.observer.translated?.(8, 0x1800, 1, 1, reached[8] ?? 0, false);
  return [isolation.checked, isolation.strayed, isolation.refused];
}

describe('IsolationCheck', () => {
  it.each([
    ['only what is mapped for it', { 8: 0x5800 }, [attach(1, 8), map], [2, 0, 1]],
    ['another address', { 8: 0x6800 }, [attach(1, 8), map], [2, 1, 1]],
    ['what is mapped for the other', { 8: 0x5800, 9: 0x5800 }, [attach(1, 8), map], [2, 1, 0]],
    [
      'what is mapped for both',
      { 8: 0x5800, 9: 0x5800 },
      [attach(1, 8), attach(1, 9), map],
      [2, 0, 0],
    ],
    ['what is unmapped', { 8: 0x5800 }, [attach(1, 8), map, unmap], [2, 1, 1]],
    [
      'what went with its domain',
      { 8: 0x5800 },
      [attach(1, 8), map, detach(1, 8), attach(1, 8)],
      [2, 1, 1],
    ],
  ])('sees an endpoint that reaches %s', (_, reached, requests, expected) => {
    expect(check(reached, requests)).toEqual(expected);
  });
});
