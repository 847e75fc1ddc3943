import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { bzImage, elfProgram } from './fixtures.ts';
import { GuestError } from './guest-error.ts';
import { bzImageRelease, checkStaticI386, pageBytes } from './guest-files.ts';

describe('bzImageRelease', () => {
  it('reads the release', () => {
    expect(bzImageRelease(bzImage('6.12.117-viommu'))).toBe('6.12.117-viommu');
  });

  it('refuses what is no bzImage, or says no release', () => {
    expect(() => bzImageRelease(Buffer.alloc(0x400))).toThrow(GuestError);
    expect(() => bzImageRelease(bzImage('6.12').subarray(0, 0x100))).toThrow('is no bzImage');
    expect(() => bzImageRelease(bzImage(''))).toThrow('does not say which release');
  });
});

describe('checkStaticI386', () => {
  it('takes a program for i386 that names no loader', () => {
    expect(() => checkStaticI386(elfProgram({ headers: [1, 1] }), 'busybox')).not.toThrow();
  });

  it('refuses one that needs libraries, and one for another processor', () => {
    const check = (program: Buffer) => () => checkStaticI386(program, 'busybox');
    expect(check(elfProgram({ headers: [6, 3, 1] }))).toThrow('busybox needs libraries');
    expect(check(elfProgram({ machine: 62, headers: [1] }))).toThrow('no program for i386');
    expect(check(elfProgram({ elfClass: 2, headers: [1] }))).toThrow('no program for i386');
    expect(check(Buffer.from('#!/bin/sh\n'))).toThrow('no program for i386');
  });

  it('refuses one that is cut short', () => {
    const program = elfProgram({ headers: [1, 1] });
    expect(() => checkStaticI386(program.subarray(0, -1), 'busybox')).toThrow('cut short');
    expect(() => checkStaticI386(elfProgram({ headers: [] }), 'busybox')).toThrow('cut short');
  });
});

describe('pageBytes', () => {
  it('counts what is fetched, compressed', () => {
    const zeros = Buffer.alloc(1 << 20);
    const noise = randomBytes(1 << 16);
    const sum = gzipSync(zeros).length + gzipSync(noise).length;
    expect(sum).toBeLessThan(1 << 17);
    expect(
      pageBytes(
        new Map([
          ['bzImage', noise],
          ['bios.bin', zeros],
        ]),
      ),
    ).toBe(sum);
  });

  it('refuses more than the page may have beside v86', () => {
    expect(() => pageBytes(new Map([['bzImage', randomBytes(4_500_001)]]))).toThrow(
      /^the files have 45\d{5} bytes when they are compressed \(bzImage 45\d{5}\), and 4500000 is the limit$/,
    );
  });
});
