/** The command as a process: what it writes where, and what a user gets who asks for what cannot be. */
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { IASL_DMAR } from '../fixtures/vendor-tables.ts';
import { CommandError } from './command-error.ts';
import { writeOutput } from './streams.ts';

/** IOMMU at 00:02.0, buses 0x10 and 0x30: QEMU's q35 machine with two more host bridges. */
const VIOT = Uint8Array.from(
  `56 49 4f 54 70 00 00 00 00 3d 42 4f 43 48 53 20
   42 58 50 43 20 20 20 20 01 00 00 00 42 58 50 43
   01 00 00 00 03 00 30 00 00 00 00 00 00 00 00 00
   03 00 10 00 00 00 10 00 00 00 00 00 00 00 00 00
   01 00 18 00 00 10 00 00 00 00 00 00 00 10 ff 10
   30 00 00 00 00 00 00 00
   01 00 18 00 00 30 00 00 00 00 00 00 00 30 ff 30
   30 00 00 00 00 00 00 00`.split(/\s+/),
  (byte) => Number.parseInt(byte, 16),
);
const QEMU_TREE = fileURLToPath(new URL('../fixtures/qemu-virt.dtb', import.meta.url));

const folder = mkdtempSync(join(tmpdir(), 'viot-test-'));
const at = (name: string) => join(folder, name);
const program = at('viot.mjs');

beforeAll(async () => {
  const commonJs =
    "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";
  await build({
    entryPoints: [fileURLToPath(new URL('main.ts', import.meta.url))],
    outfile: program,
    bundle: true,
    format: 'esm',
    platform: 'node',
    banner: { js: commonJs },
  });
  writeFileSync(at('viot.aml'), VIOT);
  writeFileSync(at('damaged.aml'), VIOT.with(80, 49));
  mkdirSync(at('outputs'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function viot(args: readonly string[], input: string | Uint8Array = ''): SpawnSyncReturns<string> {
  return spawnSync(process.execPath, [program, ...args], {
    cwd: folder,
    input,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
  });
}

function outputOf(args: readonly string[], input?: string | Uint8Array): string {
  const { status, stdout, stderr } = viot(args, input);
  expect([status, stderr]).toEqual([0, '']);
  return stdout;
}

describe('viot decode', () => {
  it('shows header and nodes', () => {
    expect(outputOf(['decode', 'viot.aml'])).toBe(
      `VIOT, revision 0, 112 bytes, 3 nodes
OEM      "BOCHS " "BXPC    ", revision 0x1
creator  "BXPC", revision 0x1

offset  node              devices                             endpoint IDs      IOMMU at
0x30    virtio-iommu-pci  virtio-iommu 0000:00:02.0
0x40    pci-range         range 0000:10:00.0 to 0000:10:1f.7  0x1000 to 0x10ff  0x30
0x58    pci-range         range 0000:30:00.0 to 0000:30:1f.7  0x3000 to 0x30ff  0x30
`,
    );
  });

  it('shows what a device tree says', () => {
    expect(outputOf(['decode', QEMU_TREE])).toBe(`device tree: 1 IOMMU, 2 endpoint ranges

IOMMU  device
0      virtio-iommu 0000:00:01.0

devices                             endpoint IDs   IOMMU
range 0000:00:00.0 to 0000:00:00.7  0x0 to 0x7     0
range 0000:00:01.1 to 0000:ff:1f.7  0x9 to 0xffff  0
`);
  });

  it("shows what a vendor's table says, and what of it is left out", () => {
    const text = outputOf(['decode', '-'], IASL_DMAR);
    expect(text).toMatch(/^DMAR: 3 IOMMUs, \d+ endpoint ranges?\n/);
    expect(text).toMatch(/^0 {6}vt-d at 0x/m);
    const leftOut = text.slice(text.indexOf('left out, since')).trimEnd().split('\n').slice(1);
    expect(leftOut).toHaveLength(2);
    for (const line of leftOut) expect(line).toMatch(/^0x[0-9a-f]+ +\S/);
    const { status, stdout, stderr } = viot(['decode', '--json', '-'], IASL_DMAR);
    expect([status, JSON.parse(stdout).iommus.length]).toEqual([0, 3]);
    expect(stderr.match(/^viot: stdin: left out at 0x[0-9a-f]+: \S/gm)).toHaveLength(2);
  });

  it('shows no control characters of a table', () => {
    const bytes = VIOT.with(10, 0x1b).with(11, 0x9b);
    bytes[9] = -bytes.with(9, 0).reduce((sum, byte) => sum + byte, 0);
    expect(outputOf(['decode', '-'], bytes)).toContain('"\\x1b\\x9bCHS "');
  });

  it('stops without a word when nobody reads on', () => {
    const { stderr } = spawnSync(
      'sh',
      ['-c', '"$0" "$1" decode viot.aml | true', process.execPath, program],
      {
        cwd: folder,
        encoding: 'utf8',
      },
    );
    expect(stderr).toBe('');
  });
});

describe('viot encode', () => {
  it('writes from JSON the bytes that the JSON was decoded from', () => {
    const json = outputOf(['decode', '--json', '-'], VIOT);
    outputOf(['encode', '-', '-o', 'outputs/new.aml'], json);
    expect(new Uint8Array(readFileSync(at('outputs/new.aml')))).toEqual(VIOT);
    const { stdout } = spawnSync(process.execPath, [program, 'encode', '-'], { input: json });
    expect(new Uint8Array(stdout)).toEqual(VIOT);
    expect(readdirSync(at('outputs'))).toEqual(['new.aml']);
  });

  it('makes a VIOT of a device tree', () => {
    outputOf(['encode', QEMU_TREE, '--output', 'tree.aml']);
    const table = JSON.parse(outputOf(['decode', '--json', 'tree.aml']));
    expect(table.nodes).toHaveLength(3);
    expect(table.nodes[0]).toEqual({ type: 'virtio-iommu-pci', segment: 0, bdf: 8 });
  });

  it('leaves what is there alone when it cannot write', () => {
    writeFileSync(at('outputs/kept.aml'), 'kept');
    expect(viot(['encode', '-', '-o', 'outputs/kept.aml'], '{"nodes": []}').status).toBe(2);
    expect(readFileSync(at('outputs/kept.aml'), 'utf8')).toBe('kept');
  });

  it('keeps the permissions of a file, and writes through a link', () => {
    writeFileSync(at('outputs/private.aml'), '');
    chmodSync(at('outputs/private.aml'), 0o600);
    symlinkSync('private.aml', at('outputs/link.aml'));
    outputOf(['encode', 'viot.aml', '-o', 'outputs/link.aml']);
    expect(new Uint8Array(readFileSync(at('outputs/private.aml')))).toEqual(VIOT);
    expect(statSync(at('outputs/private.aml')).mode & 0o777).toBe(0o600);
    expect(readdirSync(at('outputs')).filter((name) => name.includes('unfinished'))).toEqual([]);
  });

  it('writes to what is no file without replacing it', () => {
    outputOf(['encode', 'viot.aml', '-o', '/dev/null']);
    expect(statSync('/dev/null').isFile()).toBe(false);
  });

  it('writes no bytes to a terminal', async () => {
    let written = 0;
    const terminal = {
      isTTY: true,
      write: (_: unknown, done?: () => void) => {
        written += 1;
        done?.();
      },
    };
    const streams = { stdin: process.stdin, stdout: terminal, stderr: process.stderr };
    await expect(writeOutput(VIOT, undefined, streams)).rejects.toThrow(CommandError);
    expect(written).toBe(0);
    await writeOutput('text', undefined, streams);
    expect(written).toBe(1);
  });
});

describe('viot dts', () => {
  it('writes a tree of its own', () => {
    const text = outputOf(['dts', 'viot.aml']);
    expect(text).toMatch(/^\/dts-v1\/;\n/);
    expect(text).toContain('iommu-map = <0x1000 &viommu0 0x1000 0x100>,\n\t\t\t<0x3000 ');
  });

  it('writes what to append to a tree, by path and by label', () => {
    const path = outputOf(['dts', 'viot.aml', '--bridge', '/pcie@10000000']);
    expect(path).toMatch(/^&\{\/pcie@10000000\} \{\n\tiommu-map = /);
    expect(outputOf(['dts', 'viot.aml', '--bridge', '0=pcie'])).toMatch(/^&pcie \{\n/);
  });
});

describe('viot lint', () => {
  it('ends with 0 when Linux has the table as it is', () => {
    expect(outputOf(['lint', 'viot.aml'])).toBe('0 errors, 0 warnings, 0 notes\n');
    expect(outputOf(['lint', '--json', '-'], VIOT)).toBe('[]\n');
  });

  it('ends with 1 when a device is left without its IOMMU', () => {
    const { status, stdout, stderr } = viot(['lint', 'damaged.aml']);
    expect([status, stderr]).toEqual([1, '']);
    expect(stdout).toMatch(/^0x40 +error +UNRESOLVABLE {2}Linux drops /m);
    expect(stdout).toMatch(/\n1 error, 1 warning, 0 notes\n$/);
    const json = JSON.parse(viot(['lint', '--json', 'damaged.aml']).stdout);
    expect(json).toMatchObject([{ code: 'CHECKSUM' }, { code: 'UNRESOLVABLE', offset: 64 }]);
  });
});

describe('viot says in one line what is wrong, and writes nothing', () => {
  const cases: [string, string[], string, string?][] = [
    ['an unknown command', ['code'], "unknown command 'code'"],
    ['an unknown option', ['decode', '--xml', 'viot.aml'], "unknown option '--xml'"],
    ['no file', ['decode'], "missing required argument 'file'"],
    [
      'a file that is not there',
      ['decode', 'none'],
      'none cannot be read: ENOENT: no such file or directory',
    ],
    ['a folder', ['decode', '.'], '. cannot be read: EISDIR'],
    ['an empty file', ['decode', '-'], 'stdin: this begins with ""'],
    ['a text', ['dts', '-'], 'stdin: this begins with "hell"', 'hello'],
    ['a damaged table', ['decode', 'damaged.aml'], 'damaged.aml: the table is damaged'],
    ['what is nearly JSON', ['encode', '-'], 'stdin: this is no JSON', '{"a":\n 1'],
    [
      'a wrong field',
      ['encode', '-'],
      'stdin: iommus[0].bdf: write an integer from 0 to 0xffff, not "00:04.0"',
      '{"iommus":[{"kind":"pci","segment":0,"bdf":"00:04.0"}],"endpoints":[]}',
    ],
    [
      'a topology that no VIOT can say',
      ['encode', '-'],
      'vt-d at 0xfed90000 is no virtio device, and the VIOT has no word for it',
      '{"iommus":[{"kind":"vendor","model":"vt-d","base":4275634176}],"endpoints":[]}',
    ],
    [
      'an output that cannot be',
      ['encode', 'viot.aml', '-o', 'none/x'],
      'none/x cannot be written: ENOENT',
    ],
    ['no node', ['dts', 'viot.aml', '--bridge', 'a b'], "'a b' is no node"],
    [
      'two host bridges',
      ['dts', 'viot.aml', '--bridge', 'a', '--bridge', '0=b'],
      'segment 0 has two',
    ],
    ['a device tree to lint', ['lint', QEMU_TREE], 'is no VIOT; lint looks at nothing else'],
  ];
  it.each(cases)('%s', (_, args, message, input) => {
    const { status, stdout, stderr } = viot(args, input);
    expect(stderr).toMatch(/^viot: [^\n]+\n$/);
    expect(stderr).toContain(message);
    expect([status, stdout]).toEqual([2, '']);
  });
});
