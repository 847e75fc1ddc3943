/** What a user gets who asks for what cannot be: one clear line, an exit code that is not 0, and nothing half-written. */
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runCommandLine } from './command-line.ts';
import { bzImage, elfProgram } from './guest/fixtures.ts';

const folder = mkdtempSync(join(tmpdir(), 'viommu-test-'));
const at = (name: string) => join(folder, name);

beforeAll(() => {
  mkdirSync(at('sockets'));
  mkdirSync(at('modules'));
  writeFileSync(at('modules/modules.builtin'), 'a/virtio_pci.ko\na/virtio_blk.ko\n');
  writeFileSync(at('rule'), '{ "do": "drop-event" }');
  writeFileSync(at('disk'), new Uint8Array(1024));
  writeFileSync(at('odd'), new Uint8Array(1000));
  writeFileSync(at('vmlinuz'), bzImage('6.12.117-test (me)'));
  writeFileSync(at('busybox'), elfProgram([1]));
  for (const version of ['9.2.4', '10.1.2']) {
    writeFileSync(
      at(`qemu-${version}`),
      `#!/bin/sh
[ "$1" = --version ] && echo "QEMU emulator version ${version}"
echo 'q35 Standard PC'
echo 'name "vfio-user-pci", bus PCI'
`,
    );
    chmodSync(at(`qemu-${version}`), 0o755);
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

const serve = (...args: string[]) => ['serve', '--socket-dir', at('sockets'), ...args];
const own = (name: string) => [
  '--kernel',
  at('vmlinuz'),
  '--busybox',
  at('busybox'),
  '--qemu',
  at(name),
];

it.each([
  ['an unknown command', ['serv'], "unknown command 'serv'"],
  ['an argument too many', ['demo', 'disk', 'extra'], 'too many arguments'],
  ['an unknown story', ['demo', 'extra'], 'Allowed choices are disk, passthrough'],
  ['an unknown transport', ['demo', '--transport', 'isa'], 'Allowed choices are pci, mmio'],
  [
    'an unknown scenario',
    ['linux', '--scenario', 'x'],
    'Allowed choices are disk, passthrough, network, two-iommus, mmio, packed',
  ],
  [
    'parts of QEMU for a guest in v86',
    ['linux', '--vmm', 'v86', '--busybox', at('busybox')],
    '--vmm v86 has a kernel of its own, for i386: leave out --busybox',
  ],
  [
    'a guest in v86 of another architecture',
    ['linux', '--vmm', 'v86', '--arch', 'arm64'],
    'for i386: leave out --arch',
  ],
  ['an unknown option', ['linux', '--fast'], "unknown option '--fast'"],
  ['serve without an IOMMU', serve(), "required option '--iommu <address>' not specified"],
  [
    'a socket dir that is not there',
    ['serve', '--socket-dir', at('none'), '--iommu', '00:04.0'],
    `--socket-dir: ${at('none')} is not there; make that folder first`,
  ],
  [
    'a socket dir that is a file',
    ['serve', '--socket-dir', at('disk'), '--iommu', '00:04.0'],
    `--socket-dir: ${at('disk')} is not a folder`,
  ],
  [
    'a file of rules that is not there',
    serve('--iommu', '00:04.0', '--inject', at('none')),
    `--inject: ${at('none')}: ENOENT`,
  ],
  [
    'rules that are no list',
    serve('--iommu', '00:04.0', '--inject', at('rule')),
    `--inject: ${at('rule')} has to have a list of rules`,
  ],
  [
    'rules for a trace',
    serve('--iommu', '00:04.0', '--inject', at('rule'), '--record', at('trace')),
    '--inject: what it does would not be in the trace of --record',
  ],
  [
    'ctl without a command',
    ['ctl', '--socket-dir', at('sockets')],
    'ctl: say what to do: list, stat, dump, translate, watch, fault, reset, inject, rules or clear',
  ],
  [
    'ctl without a server',
    ['ctl', '--socket-dir', at('sockets'), 'list'],
    `no viommu serve can be asked at ${at('sockets/control.sock')}: connect ENOENT`,
  ],
  [
    'ctl with an unknown command',
    ['ctl', '--socket-dir', at('sockets'), 'lst'],
    "ctl: there is no 'lst'",
  ],
  ['ctl without its folder', ['ctl', 'list'], "required option '--socket-dir <dir>' not specified"],
  [
    'ctl with an odd address',
    ['ctl', '--socket-dir', at('sockets'), 'translate', '00:05.0', '1x'],
    'It must be a number below 2^53, such as 4096 or 0x1000.',
  ],
  [
    'ctl with a rule that is no JSON',
    ['ctl', '--socket-dir', at('sockets'), 'inject', '{do}'],
    "'{do}' is no JSON object",
  ],
  ['a malformed address', serve('--iommu', '4'), "--iommu: '4' is no PCI address"],
  [
    'an address on another bus',
    serve('--iommu', '01:04.0'),
    'the IOMMU is at 01:04.0; QEMU takes these functions on bus 0 only',
  ],
  [
    'a missing disk',
    serve('--iommu', '00:04.0', '--blk', `00:05.0=${at('none')}`),
    `disk ${at('none')} cannot be opened: ENOENT`,
  ],
  [
    'a disk of half a sector',
    serve('--iommu', '00:04.0', '--blk', `00:05.0=${at('odd')}`),
    'has 1000 bytes',
  ],
  [
    'a network without a form',
    serve('--iommu', '00:04.0', '--net', '00:06.0'),
    "--net: '00:06.0' is not of the form ADDRESS=stream:PATH or ADDRESS=tap:NAME, such as 00:06.0=tap:tap0",
  ],
  [
    'a network of an unknown kind',
    serve('--iommu', '00:04.0', '--net', '00:06.0=user'),
    "--net: 'user' is neither stream:PATH, a socket that passt listens on, nor tap:NAME",
  ],
  [
    'a multicast MAC address',
    serve('--iommu', '00:04.0', '--net', '00:06.0=tap:t0,mac=01:00:5e:00:00:01'),
    "--net: '01:00:5e:00:00:01' is no MAC address of one device",
  ],
  [
    'an MTU that is too small',
    serve('--iommu', '00:04.0', '--net', '00:06.0=tap:t0,mtu=67'),
    "--net: '67' is no MTU; choose 68 to 65535",
  ],
  [
    'two networks at one address',
    serve('--iommu', '00:04.0', '--net', '00:06.0=tap:t0', '--net', '00:06.0=tap:t1'),
    'network t0 and network t1 are both at 00:06.0',
  ],
  [
    'two functions at one address',
    serve('--iommu', '00:04.0', '--blk', `00:05.0=${at('disk')}`, '--rng', '00:05.0'),
    `disk ${at('disk')} and the rng are both at 00:05.0`,
  ],
  [
    'a device behind an IOMMU that is not there',
    serve('--iommu', '00:04.0', '--rng', '00:06.0,iommu=1'),
    'the rng is behind IOMMU 1, and the last one is 0',
  ],
  [
    'a function where QEMU has its own',
    serve('--iommu', '00:1f.2'),
    "the IOMMU is at 00:1f.2, where QEMU's machine has a device of its own",
  ],
  [
    'one file as two disks',
    serve(
      ...['--iommu', '00:04.0', '--blk', `00:05.0=${at('disk')}`],
      ...['--blk', `00:06.0=${at('disk')},ro`],
    ),
    `disks ${at('disk')} and ${at('disk')} are one file; give each its own, or ",ro" to both`,
  ],
  [
    'a setting that is given twice',
    serve('--iommu', '00:04.0', '--rng', '00:06.0,iommu=0,iommu=1'),
    "--rng: 'iommu' is given twice",
  ],
  ['a disk without a file', serve('--iommu', '00:04.0', '--blk', '00:05.0='), 'names no file'],
  [
    'an IOMMU by no number',
    serve('--iommu', '00:04.0', '--blk', `00:05.0=${at('disk')},iommu=x`),
    "--blk: 'x' is no number of an IOMMU; the first --iommu is 0",
  ],
  [
    'bypass neither on nor off',
    serve('--iommu', '00:04.0', '--boot-bypass', 'maybe'),
    "--boot-bypass: 'maybe' is neither on nor off",
  ],
  [
    'a user by name',
    serve('--iommu', '00:04.0', '--allow-uid', 'qemu'),
    "argument 'qemu' is invalid. It must be the number of a user",
  ],
  ['no runs', ['faults', '--runs', '0'], "argument '0' is invalid"],
  ['less than a minute', ['soak', '--minutes', '0.5'], "argument '0.5' is invalid"],
  ['no number of rounds', ['bench', '--rounds', 'many'], "argument 'many' is invalid"],
  ['no part of a benchmark', ['bench', '--only', 'sound'], "argument 'sound' is invalid"],
  ['an old QEMU', ['linux', '--modules', at('modules'), ...own('qemu-9.2.4')], '9.2.4'],
  [
    'a kernel without the driver',
    ['linux', '--modules', at('modules'), ...own('qemu-10.1.2')],
    'has no virtio_iommu, neither as a module nor built in',
  ],
])(
  '%s',
  async (_what, args, problem) => {
    let text = '';
    const exitCode = await runCommandLine(args, (part) => {
      text += part;
    });
    expect(text).toContain(problem);
    expect(text).toMatch(/^viommu: [^\n]+\n$/);
    expect(exitCode).toBe(1);
    expect(readdirSync(at('sockets'))).toEqual([]);
    // The first loads all commands.
  },
  20_000,
);
