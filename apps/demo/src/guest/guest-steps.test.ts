import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { numberedBlock, stepArguments } from './guest-steps.ts';
import { NUMBERED_STEP } from './init/numbered-step.ts';

it('knows the blocks that the guest writes', () => {
  const line = NUMBERED_STEP.split('\n').find((text) => text.includes('head -c'))!;
  const script = `block=4095\n${line.replace('>/tmp/block', '')}`;
  expect(execFileSync('/bin/sh', ['-c', script]).equals(numberedBlock(4095))).toBe(true);
});

describe('stepArguments', () => {
  it('writes the steps in order, with lengths in MiB', () => {
    expect(
      stepArguments(
        [
          { step: 'report' },
          { step: 'read', disk: 'vda', offset: 0, length: 67108864 },
          { step: 'write', disk: 'vdb', offset: 67108864, length: 16777216 },
          { step: 'bench', disk: 'vda', blockSize: 4096, count: 2000 },
          { step: 'rng' },
          { step: 'vfio', bdf: 0x41 },
          { step: 'appear', disk: 'vdb' },
          { step: 'vanish', disk: 'vdb' },
          { step: 'numbered', disk: 'vda', count: 9 },
          { step: 'reboot' },
        ],
        ['vda', 'vdb'],
      ),
    ).toEqual([
      'viommu.disks=vda,vdb',
      'viommu.steps=report,read:vda:0:64,write:vdb:64:16,bench:vda:4096:2000,rng,vfio:08.1,appear:vdb,vanish:vdb,numbered:vda:9,reboot',
    ]);
  });

  it('writes a URL without what separates steps', () => {
    const url = 'http://10.0.2.2:8080/a,b*%20(1)';
    const [text] = stepArguments([{ step: 'fetch', url, bytes: 1000, disk: 'vda' }], []);
    expect(text).toBe(
      'viommu.steps=fetch:http%3A%2F%2F10.0.2.2%3A8080%2Fa%2Cb%2a%2520%281%29:1000:vda',
    );
  });

  it('writes transfers with their bytes', () => {
    const url = 'http://10.0.2.2:80/';
    const [text] = stepArguments(
      [
        { step: 'download', url, bytes: 1000 },
        { step: 'upload', url, bytes: 500 },
      ],
      [],
    );
    expect(text).toBe(
      'viommu.steps=download:http%3A%2F%2F10.0.2.2%3A80%2F:1000,upload:http%3A%2F%2F10.0.2.2%3A80%2F:500',
    );
  });

  it('says nothing of disks when there are none to wait for', () => {
    expect(stepArguments([{ step: 'report' }], [])).toEqual(['viommu.steps=report']);
  });

  it('refuses a length that the guest could not express', () => {
    expect(() =>
      stepArguments([{ step: 'read', disk: 'vda', offset: 512, length: 1048576 }], []),
    ).toThrow('512 is not a multiple of 1 MiB');
  });

  it('refuses what the kernel would cut short', () => {
    const steps = Array.from({ length: 300 }, () => ({ step: 'report' }) as const);
    expect(() => stepArguments(steps, [])).toThrow('too many steps');
  });
});
