/** A machine at work is recorded into a file, and the file replayed, cut off and damaged. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { gunzipSync, gzipSync } from 'node:zlib';
import { BlockDriver, DmaEngineDriver } from '@viommu/devices/driver';
import { AddressAllocator, DmaDomain, IommuDriver } from '@viommu/iommu-driver';
import { standardMachine } from '@viommu/machine';
import { InProcessBus, PCI_TRANSPORT } from '@viommu/scenarios';
import { ArrayGuestMemory } from '@viommu/virtqueue';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommandLine } from '../command-line.ts';
import { makeDiskImage } from '../linux/disk-image.ts';
import { NodeParts } from '../machine/node-parts.ts';
import { ChunkedGzip } from './chunked-gzip.ts';
import { printTrace } from './print-trace.ts';
import { recordMachine } from './record-machine.ts';
import { replayFile } from './replay-file.ts';

const RAM = { base: 0x4000_0000, length: 4 << 20 };
const PAGE = 4096;
const SECTOR = 512;
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'viommu-trace-'));
  record(join(folder, 'split.vtrace'), false);
});

afterAll(() => rmSync(folder, { recursive: true }));

/** A driver brings all up, uses the disk and the engine, and strays. */
function record(path: string, packed: boolean, isShared = false): void {
  const image = mkdtempSync(join(folder, 'disk-')).concat('/disk.img');
  const content = makeDiskImage(image, 128 * SECTOR);
  const { machine, functions, end } = recordMachine(
    standardMachine({ disks: [image], engine: true, packed }),
    { parts: new NodeParts() },
    { path, title: 'a test', versions: { guest: 'none' }, contents: [content] },
  );
  const buffer = isShared ? new SharedArrayBuffer(RAM.length) : new ArrayBuffer(RAM.length);
  const memory = new ArrayGuestMemory([{ base: RAM.base, buffer }]);
  const recorded = functions.map((one) => one.function);
  const bus = new InProcessBus(recorded, memory, PCI_TRANSPORT);
  const pages = new AddressAllocator(RAM.base, RAM.base + RAM.length - 1, PAGE);
  const { wait } = bus;
  const transport = bus.transportOf(recorded[0]!);
  const iommu = new IommuDriver({ transport, memory, pages, wait });
  iommu.setBypass(false);
  const dma = new DmaDomain({ driver: iommu, domain: 1, pages });
  for (const { bdf } of functions.slice(1)) dma.attach(bdf);
  const disk = new BlockDriver({ transport: bus.transportOf(recorded[1]!), memory, dma, wait });
  expect(disk.getId()).toBe('viommu-0');
  const bytes = new Uint8Array(disk.capacity * SECTOR);
  disk.read(0, bytes);
  disk.write(
    8,
    bytes.subarray(0, 4 * SECTOR).map((byte) => byte ^ 0xff),
  );
  disk.flush();
  const message = { address: 0xfee0_0000, data: 9 };
  const engine = new DmaEngineDriver({ access: recorded[3]!, message, wait });
  const pair = [dma.allocate(PAGE), dma.allocate(PAGE)] as const;
  expect(engine.copy(pair[0].deviceAddress, pair[1].deviceAddress, PAGE).done).toBe(true);
  expect(engine.copy(0xdead_0000, pair[1].deviceAddress, PAGE).done).toBe(false);
  bus.close();
  end();
  machine.close();
}

describe('a machine that is recorded', () => {
  it.each([
    ['with split virtqueues', false, false],
    ['with packed virtqueues', true, false],
    ['whose memory others access, too', true, true],
  ])('%s does the same when it is replayed', async (name, packed, isShared) => {
    const path = join(folder, `${name}.vtrace`);
    record(path, packed, isShared);
    const result = await replayFile(path);
    expect(result.divergence).toBeUndefined();
    expect(result.isComplete).toBe(true);
    expect(result.statistics.faults).toBe(1);
    expect(result.statistics.requests).toMatchObject({ attach: 3, probe: 3 });
    expect(result.versions).toMatchObject({ guest: 'none', node: process.version });
    expect(statSync(path).size).toBeLessThan(20_000);
  });

  it('is refused when the file cannot be written', () => {
    expect(() => record(join(folder, 'none/a.vtrace'), false)).toThrow('cannot be written: ENOENT');
  });

  it('says nothing of where its files were', () => {
    const text = gunzipSync(readFileSync(join(folder, 'split.vtrace'))).toString('latin1');
    expect(text).toContain('"path":"disk 0"');
    expect(text).not.toContain(folder);
  });

  it('is stopped where one likes, and shows what is mapped there', async () => {
    const path = join(folder, 'split.vtrace');
    const { operations } = await replayFile(path);
    const early = await replayFile(path, { upto: 10 });
    const late = await replayFile(path, { upto: operations - 10 });
    const domainsOf = (result: typeof early) =>
      (result.state.iommu as { session: { device: { domains: { mappings: number[] }[] } } }).session
        .device.domains;
    expect(early.operations).toBe(10);
    expect(domainsOf(early)).toEqual([]);
    expect(domainsOf(late)[0]!.mappings.length).toBeGreaterThan(8);
  });

  it('is replayed as far as it goes when it was cut off', async () => {
    const whole = readFileSync(join(folder, 'split.vtrace'));
    const path = join(folder, 'cut.vtrace');
    writeFileSync(path, whole.subarray(0, whole.length * 0.7));
    const result = await replayFile(path);
    expect(result.divergence).toBeUndefined();
    expect(result.isComplete).toBe(false);
    expect(result.operations).toBeGreaterThan(100);
  });

  it('differs where its trace is changed', async () => {
    const events = gunzipSync(readFileSync(join(folder, 'split.vtrace')));
    // The first answer to the disk's ID is in a short write of the device.
    const at = events.indexOf('viommu-0', 0, 'latin1');
    expect(at).toBeGreaterThan(0);
    events[at] = 0x56;
    const path = join(folder, 'changed.vtrace');
    writeFileSync(path, gzipSync(events));
    const { divergence } = await replayFile(path);
    expect(divergence).toMatchObject({ function: 'blk', operation: 'service' });
    expect(divergence!.actual).toContain('with other bytes');
  });
});

describe('the commands', () => {
  async function run(...args: string[]) {
    const errors: string[] = [];
    const exitCode = await runCommandLine(args, (text) => errors.push(text));
    return { exitCode, errors: errors.join('') };
  }

  it.each([
    ['a file that is not there', ['replay', '/none'], 'ENOENT'],
    ['a file that is no trace', ['replay', import.meta.filename ?? ''], 'this is no trace'],
    [
      'a function that the trace has not',
      ['trace', 'FILE', '--function', 'x'],
      'it has iommu, blk',
    ],
    ['an odd number', ['replay', 'FILE', '--upto', '-3'], 'must be a number'],
  ])('refuse %s in one line', async (_name, args, message) => {
    const known: Record<string, string> = { FILE: join(folder, 'split.vtrace') };
    const { exitCode, errors } = await run(...args.map((arg) => known[arg] ?? arg));
    expect(exitCode).not.toBe(0);
    expect(errors).toContain(message);
    expect(errors.trimEnd().split('\n')).toHaveLength(1);
  });

  it('print each request and fault', async () => {
    const lines: string[] = [];
    const path = join(folder, 'split.vtrace');
    await printTrace(path, { from: 0, requests: true }, (line) =>
      lines.push(stripVTControlCharacters(line)),
    );
    const text = lines.join('\n');
    expect(text).toMatch(/iommu: ATTACH domain 1 endpoint 0x28 flags 0.*S_OK/);
    expect(text).toMatch(/endpoint 0x40 may not read at 0xdead0000: nothing is mapped there/);
    expect(lines.filter((line) => line.includes('MAP domain 1')).length).toBeGreaterThan(3);
  });

  it('print registers by their names, and only those of a function', async () => {
    const lines: string[] = [];
    const path = join(folder, 'split.vtrace');
    await printTrace(path, { from: 0, function: 'blk' }, (line) =>
      lines.push(stripVTControlCharacters(line)),
    );
    const text = lines.join('\n');
    expect(text).toContain('blk');
    expect(text).toContain('write queue_enable: 0x0001');
    expect(text).toContain('write notify queue 0');
    expect(text).not.toMatch(/^ *\d+ +[\d.]+ {2}iommu/m);
  });

  it('print objects for programs', async () => {
    const lines: string[] = [];
    const path = join(folder, 'split.vtrace');
    await printTrace(path, { from: 0, json: true }, (line) => lines.push(line));
    const [header, ...steps] = lines.map((line) => JSON.parse(line));
    expect(header.header.functions[0].name).toBe('iommu');
    expect(steps[0]).toMatchObject({ index: 0, kind: 'regions', function: 'iommu' });
    const asked = steps.flatMap(({ events }: { events: { kind: string }[] }) => events);
    expect(asked.filter(({ kind }) => kind === 'fault')).toHaveLength(1);
  });
});

describe('ChunkedGzip', () => {
  it('makes one gzip file of chunks of any length', () => {
    const chunks = fc.array(
      fc.oneof(
        fc.uint8Array({ maxLength: 500 }),
        fc.nat(70_000).map((n) => new Uint8Array(n).fill(n)),
      ),
      { maxLength: 8 },
    );
    fc.assert(
      fc.property(chunks, (list) => {
        const packed: Uint8Array[] = [];
        const gzip = new ChunkedGzip((bytes) => packed.push(bytes));
        for (const chunk of list) gzip.push(chunk);
        gzip.end();
        expect(Buffer.compare(gunzipSync(Buffer.concat(packed)), Buffer.concat(list))).toBe(0);
      }),
      { numRuns: 40 },
    );
  });
});
