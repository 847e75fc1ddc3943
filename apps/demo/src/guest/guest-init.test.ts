import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { GUEST_INIT, MARKER } from './guest-init.ts';
import { stepArguments } from './guest-steps.ts';

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

  it('reads a URL back as it was', () => {
    const line = GUEST_INIT.split('\n').find((text) => text.startsWith('unescape()'))!;
    const url = 'http://10.0.2.2:8080/a,b*%20(1)';
    const escaped = stepArguments([{ step: 'fetch', url, bytes: 1, disk: 'vda' }], [])[0]!
      .slice('viommu.steps=fetch:'.length)
      .split(':')[0]!;
    // Of the shells at hand only bash knows the escapes that busybox knows.
    const script = `${line}\necho "$(unescape '${escaped}')"`;
    expect(execFileSync('bash', ['-c', script], { encoding: 'utf8' })).toBe(`${url}\n`);
  });

  it('finds the interrupts of virtio devices, whoever shares them and however many CPUs there are', () => {
    const program = /awk '([^']*)' \/proc\/interrupts/.exec(GUEST_INIT)![1]!;
    const input = `           CPU0       CPU1
 22:          7          1   IO-APIC  22-fasteoi   virtio2, virtio3
 24:          1          0  PCI-MSIX-0000:00:04.0   0-edge      virtio0-config
 25:        400         32  ITS-PCI-MSIX-0000:00:05.0   1 Edge      virtio1-req.0
NMI:          0          0   Non-maskable interrupts
`;
    expect(execFileSync('/bin/sh', ['-c', `awk '${program}'`], { input, encoding: 'utf8' })).toBe(
      `@viommu interrupt virtio2,virtio3 IO-APIC 8
@viommu interrupt virtio0-config PCI-MSIX-0000:00:04.0 1
@viommu interrupt virtio1-req.0 ITS-PCI-MSIX-0000:00:05.0 432
`,
    );
  });
});
