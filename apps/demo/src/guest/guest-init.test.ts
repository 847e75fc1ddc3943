import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { GUEST_INIT, MARKER } from './guest-init.ts';

describe('GUEST_INIT', () => {
  it('is a script that a POSIX shell can parse', () => {
    execFileSync('/bin/sh', ['-n'], { input: GUEST_INIT });
  });

  it('is run by busybox and prints the marker', () => {
    expect(GUEST_INIT.startsWith('#!/bin/busybox sh\n')).toBe(true);
    expect(GUEST_INIT).toContain(`echo "${MARKER}$*"`);
  });

  it('reads its parameters from the kernel command line', () => {
    const definition = GUEST_INIT.split('\n').find((line) => line.startsWith('parameter()'))!;
    const script = `${definition.replace('/proc/cmdline', '"$1"')}\nparameter steps`;
    const input =
      'console=ttyS0 xviommu.steps=no viommu.disks=vda viommu.steps=report,read:vda:0:64\n';
    // \`$1\` inside the function is its own argument, so the file goes in by standard input.
    const fromInput = script.replace('<"$1"', '');
    expect(execFileSync('/bin/sh', ['-c', fromInput], { input, encoding: 'utf8' })).toBe(
      'report,read:vda:0:64\n',
    );
  });
});
