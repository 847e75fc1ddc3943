import { describe, expect, it } from 'vitest';
import { dumpTreeArguments } from './machine-types/virt.ts';
import {
  machineArguments,
  ownDeviceArguments,
  qemuArguments,
  shellText,
} from './qemu-arguments.ts';

const functions = [
  { bdf: 0x20, socketPath: '/run/iommu.sock' },
  { bdf: 0x28, socketPath: '/run/blk.sock' },
];

describe('machineArguments', () => {
  it('shares the memory, names the table and puts each function on its slot', () => {
    expect(machineArguments({ functions, viotFile: '/run/viot.aml' })).toEqual([
      '-machine',
      'q35,memory-backend=ram',
      '-object',
      'memory-backend-memfd,id=ram,size=512M,share=on',
      '-m',
      '512',
      '-acpitable',
      'file=/run/viot.aml',
      '-device',
      '{"driver":"vfio-user-pci","addr":"0x4","socket":{"type":"unix","path":"/run/iommu.sock"}}',
      '-device',
      '{"driver":"vfio-user-pci","addr":"0x5","socket":{"type":"unix","path":"/run/blk.sock"}}',
    ]);
  });

  it('hands an Arm machine a device tree', () => {
    expect(
      machineArguments({
        architecture: 'arm64',
        functions: functions.slice(0, 1),
        deviceTreeFile: '/run/a,b.dtb',
      }),
    ).toEqual([
      '-machine',
      'virt,gic-version=3,memory-backend=ram',
      '-object',
      'memory-backend-memfd,id=ram,size=512M,share=on',
      '-m',
      '512',
      '-dtb',
      '/run/a,b.dtb',
      '-device',
      '{"driver":"vfio-user-pci","addr":"0x4","socket":{"type":"unix","path":"/run/iommu.sock"}}',
    ]);
  });

  it('has firmware boot from nothing that cannot reach memory', () => {
    const args = machineArguments({ functions: [], bootBypass: false });
    expect(args.slice(-2)).toEqual(['-boot', 'strict=on']);
  });

  it('leaves the memory unshared when asked to', () => {
    expect(machineArguments({ functions: [], sharedMemory: false, memoryMebibytes: 1024 })).toEqual(
      ['-machine', 'q35', '-m', '1024'],
    );
  });

  it('marks functions that share a slot', () => {
    const args = machineArguments({
      functions: [
        { bdf: 0x28, socketPath: 'a' },
        { bdf: 0x29, socketPath: 'b' },
        { bdf: 0x30, socketPath: 'c' },
      ],
    });
    const devices = args.filter((arg) => arg.startsWith('{')).map((arg) => JSON.parse(arg));
    expect(devices.map(({ addr, multifunction }) => [addr, multifunction])).toEqual([
      ['0x5', true],
      ['0x5.0x1', true],
      ['0x6', undefined],
    ]);
  });

  it('doubles the commas in the name of a file', () => {
    expect(machineArguments({ functions: [], viotFile: '/a,b' })).toContain('file=/a,,b');
  });
});

describe('qemuArguments', () => {
  const guest = { machine: { functions: [] }, kernel: 'vmlinuz', initramfs: 'initrd.gz' };

  it('boots the kernel on the serial console', () => {
    const args = qemuArguments({ ...guest, append: ['iommu.strict=1', 'viommu.steps=report'] });
    expect(args.slice(args.indexOf('-kernel'))).toEqual([
      '-kernel',
      'vmlinuz',
      '-initrd',
      'initrd.gz',
      '-append',
      'console=ttyS0 quiet panic=-1 deferred_probe_timeout=120 no_timer_check iommu.strict=1 viommu.steps=report',
    ]);
    expect(args).not.toContain('-no-reboot');
  });

  it('has the console on the serial port of the machine', () => {
    const machine = { architecture: 'arm64', functions: [] } as const;
    expect(qemuArguments({ ...guest, machine }).at(-1)).toBe(
      'console=ttyAMA0 quiet panic=-1 deferred_probe_timeout=120',
    );
  });

  it('ends QEMU at the first reboot when asked to', () => {
    expect(qemuArguments({ ...guest, reboots: false })).toContain('-no-reboot');
  });
});

describe('ownDeviceArguments', () => {
  it("puts QEMU's own devices at the same addresses", () => {
    expect(ownDeviceArguments(0x20, [{ bdf: 0x28, path: 'disk.img' }])).toEqual([
      '-device',
      'virtio-iommu-pci,addr=0x4',
      '-drive',
      'file=disk.img,format=raw,if=none,id=own0',
      '-device',
      'virtio-blk-pci,addr=0x5,drive=own0,iommu_platform=on,disable-legacy=on',
    ]);
  });

  it('connects its network to passt', () => {
    expect(ownDeviceArguments(0x20, [], { bdf: 0x48, socketPath: 'a,b.sock' }).slice(2)).toEqual([
      '-netdev',
      'stream,id=own,server=off,addr.type=unix,addr.path=a,,b.sock',
      '-device',
      'virtio-net-pci,addr=0x9,netdev=own,iommu_platform=on,disable-legacy=on,romfile=',
    ]);
  });
});

describe('shellText', () => {
  it('quotes what a shell would take apart', () => {
    expect(shellText(['-m', '512', '{"a":1}', "it's", ''])).toBe(`-m 512 '{"a":1}' 'it'\\''s' ''`);
  });
});

describe('dumpTreeArguments', () => {
  it('describe the machine that is booted later, with the same interrupt controller and memory', () => {
    expect(dumpTreeArguments('/run/a,b.dtb', 1024)).toEqual([
      ...['-machine', 'virt,gic-version=3,dumpdtb=/run/a,,b.dtb', '-m', '1024'],
      ...['-cpu', 'max', '-nodefaults', '-display', 'none'],
    ]);
  });
});
