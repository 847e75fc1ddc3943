/** The page in a real browser: what it shows of a trace is what a replay of that trace says. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type PassThroughStep, watchPassThrough } from '@viommu/inspector';
import type { IommuSnapshot } from '@viommu/iommu-core';
import { descriptionOf } from '@viommu/machine';
import { ReplayMachine, type TraceStep } from '@viommu/trace';
import { ACCESS_READ, joinLe64 } from '@viommu/virtqueue';
import type { QueueSnapshot } from '@viommu/virtqueue/snapshot';
import type { Page } from 'playwright-core';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { loadSteps, replayWaits } from '../src/trace/fixtures/iommu-waits.ts';
import { recordFrame } from '../src/trace/fixtures/waiting-frame.ts';
import { type ReplayResult, replayFile } from '../src/trace/replay-file.ts';
import { shippedTrace } from '../src/trace/shipped-traces.ts';
import { browserPath, usePage } from './page-setting.ts';

const MAPPING_FIELDS = 4;

describe.skipIf(browserPath === undefined)('the page', () => {
  const setting = usePage();
  const { position } = setting;
  const isAt = (operation: number) => setting.isAt(operation);
  const open = (trace: string, operation: number) => setting.open(`trace=${trace}`, operation);
  let page: Page;

  beforeEach(() => {
    ({ page } = setting);
  });

  async function jump(operation: number): Promise<void> {
    await page.locator('#position').fill(String(operation));
    await page.locator('#position').press('Enter');
    await isAt(operation);
  }

  /** By `iommu:endpoint`, the bytes that the page shows. */
  const traffic = () =>
    page
      .locator('[data-endpoint]')
      .evaluateAll((rows) =>
        rows.map((row) => [
          row.getAttribute('data-endpoint'),
          Number(row.querySelector('[data-bytes]')!.getAttribute('data-bytes')),
        ]),
      );

  const domainCards = () =>
    page
      .locator('[data-domain]')
      .evaluateAll((cards) =>
        cards.map((card) => [card.getAttribute('data-domain'), card.getAttribute('aria-label')]),
      );

  it.each(['x86_64-passthrough', 'x86_64-two-iommus', 'arm64-mmio'])(
    'plays %s to its end, and counts what a replay counts',
    async (name) => {
      const result = await replayFile(shippedTrace(name));
      await page.goto(setting.server.url);
      await page.locator(`#trace option[value=${name}]`).waitFor({ state: 'attached' });
      await page.locator('#trace').selectOption(name);
      await expect
        .poll(() => page.locator('#operations').textContent(), { timeout: 30_000 })
        .toBe(result.operations.toLocaleString('en'));
      await page.getByLabel('Speed').selectOption('fastest');
      await page.locator('#play').click();
      await isAt(result.operations);
      const { requests, faults, endpoints } = result.statistics;
      const total = Object.values(requests).reduce((sum, count) => sum + count, 0);
      expect(await page.locator('#request-count').textContent()).toBe(total.toLocaleString('en'));
      expect(await page.getByRole('tab', { name: 'Faults' }).textContent()).toBe(
        `Faults ${faults}`,
      );
      expect((await traffic()).sort()).toEqual(
        endpoints
          .map(({ iommu, endpoint, translatedBytes, bypassedBytes }) => [
            `${iommu}:${endpoint}`,
            translatedBytes + bypassedBytes,
          ])
          .sort(),
      );
      expect(await domainCards()).toEqual(domainsOf(result));
    },
  );

  it('shows the mappings of an operation, forwards and backwards, and translates by them', async () => {
    await open('x86_64-passthrough', 0);
    for (const operation of [12600, 11000, 12690]) {
      const result = await replayFile(shippedTrace('x86_64-passthrough'), { upto: operation });
      await jump(operation);
      await expect.poll(domainCards).toEqual(domainsOf(result));
      const domain = iommusOf(result)[0]!.domains.reduce((most, one) =>
        one.mappings.length > most.mappings.length ? one : most,
      );
      expect(domain.mappings.length).toBeGreaterThan(0);
      await page.locator(`[data-domain="0:${domain.id}"]`).click();
      for (const at of [0, domain.mappings.length - MAPPING_FIELDS]) {
        const [virtStart, , physStart] = domain.mappings.slice(at);
        await page.locator('#address').fill(`0x${(virtStart! + 0x123).toString(16)}`);
        await page.locator('#address').press('Enter');
        const translated = page.locator('[data-stage=guest] b');
        await expect
          .poll(() => translated.textContent())
          .toBe(`0x${(physStart! + 0x123).toString(16)}`);
      }
    }
  });

  it('walks through both stages of a device that the recorded guest drives, to where the replayed IOMMU brings it', async () => {
    const operation = 12600;
    const engine = 0x40;
    const { header, steps } = loadSteps(shippedTrace('x86_64-passthrough'));
    const replay = new ReplayMachine(header);
    for (const step of steps.slice(0, operation)) replay.apply(step);
    const { device, backend, passThrough } = replay.machine.iommus[0]!;
    const { domain } = device.attachments().find(({ endpoint }) => endpoint === engine)!;
    const mappings: number[] = [];
    device.mappingsOf(domain!)!.visit(0, 2 ** 52, (virtStart) => {
      mappings.push(virtStart);
      return true;
    });
    expect(mappings.length).toBeGreaterThan(2);
    await open('x86_64-passthrough', operation);
    await page.locator('#endpoint').selectOption({ label: 'engine (00:08.0)' });
    for (const virtStart of mappings.slice(0, 3)) {
      const address = virtStart + 0x123;
      const out = { physical: 0, length: 0, bypass: false };
      expect(backend.translate(engine, address, 1, ACCESS_READ, out)).toBe(0);
      await page.locator('#address').fill(`0x${address.toString(16)}`);
      await page.locator('#address').press('Enter');
      await expect
        .poll(() => page.locator('[data-stage=host] b').allTextContents())
        .toEqual([`0x${out.physical.toString(16)}`]);
      const [slot] = await page.locator('[data-stage=slot] b').allTextContents();
      const run = { physical: 0, length: 0 };
      expect(passThrough!.host.pin(Number(slot), 1, 0, run)).toBe(true);
      expect(run.physical).toBe(out.physical);
    }
  });

  it('lights the steps of the figure where the recorded guest drives a device that is passed through', async () => {
    const seen = new Map<PassThroughStep['type'], number[]>();
    const { header, steps } = loadSteps(shippedTrace('x86_64-passthrough'));
    let at = 0;
    const watch = watchPassThrough(descriptionOf(header.machine), ({ type }) => {
      seen.set(type, [...(seen.get(type) ?? []), at]);
    });
    const replay = new ReplayMachine(header, {
      observe: watch.observe,
      passThroughObserver: watch.host,
    });
    for (const step of steps) {
      at = step.index;
      replay.apply(step);
    }
    const [refused] = seen.get('engineRefused')!;
    const started = seen.get('engineStarted')![0]!;
    const states = () =>
      page
        .locator('[data-arrow]')
        .evaluateAll((all) => all.map((one) => one.getAttribute('data-state')));
    await open('x86_64-passthrough', 0);
    await expect.poll(states).toEqual(['unseen', 'ahead', 'ahead', 'ahead', 'ahead']);
    await page.locator('[data-step="1b"] button').click();
    // The host has mapped it before the request was answered, in the same operation.
    await isAt(seen.get('guestMapped')![0]! + 1);
    await expect.poll(states).toEqual(['unseen', 'now', 'now', 'ahead', 'ahead']);
    const counted = await page.locator('[data-step="1c"] p').textContent();
    const before = seen.get('hostMapped')!.filter((one) => one <= seen.get('guestMapped')![0]!);
    expect(counted).toContain(before.length > 1 ? `${before.length} times so far` : 'of the VMM');
    await page.locator('[data-step="2a"] button').click();
    await isAt(started + 1);
    await expect.poll(states).toEqual(['unseen', 'done', 'done', 'now', 'ahead']);
    await jump(refused! + 1);
    await expect.poll(states).toEqual(['unseen', 'done', 'done', 'done', 'refused']);
    expect(await page.locator('[data-step="1a"] button').isDisabled()).toBe(true);
    await jump(refused!);
    await expect.poll(states).not.toContain('refused');
    const other = loadSteps(shippedTrace('x86_64-pci'));
    await page.locator('#trace').selectOption('x86_64-pci');
    await expect
      .poll(() => page.locator('#operations').textContent(), { timeout: 30_000 })
      .toBe(other.steps.length.toLocaleString('en'));
    expect(await page.locator('[data-arrow]').count()).toBe(0);
  });

  it('says of a fault what was tried, why it failed, and which request made it so', async () => {
    await open('x86_64-passthrough', 12600);
    await page.keyboard.press('f');
    await isAt(12681);
    await page.getByRole('tab', { name: 'Faults' }).click();
    const fault = page.locator('[data-fault]');
    expect(await fault.count()).toBe(1);
    const text = await fault.textContent();
    expect(text).toContain('engine (endpoint 0x40) may not read at 0x7f29b0749000 of domain 4');
    expect(text).toContain('nothing is mapped there');
    expect(text).toContain('the driver was told');
    await fault.getByRole('button', { name: '0x7f29b0749000' }).click();
    await expect
      .poll(() => page.locator('.address-detail output').textContent())
      .toContain('is not mapped');
  });

  it('decodes a request beside its bytes, and its addresses lead to the map', async () => {
    await open('x86_64-passthrough', 12690);
    await page.getByRole('listbox', { name: 'Requests' }).press('ArrowUp');
    const field = page.locator('[data-field=virt_start]');
    const address = await field.textContent();
    expect(address).toMatch(/^0x7f29[0-9a-f]{8}$/);
    const bytes = await page.locator('tr', { has: field }).locator('code').first().textContent();
    expect(`0x${bytes!.split(' ').reverse().join('').replace(/^0+/, '')}`).toBe(address);
    await field.getByRole('button').click();
    expect(await page.locator('#address').inputValue()).toBe(address);
  });

  it('is used by keyboard: steps, steps back, goes to requests, plays and pauses', async () => {
    await open('x86_64-pci', 9000);
    await page.keyboard.press('.');
    await isAt(9001);
    await page.keyboard.press('.');
    await isAt(9002);
    await page.keyboard.press(',');
    await isAt(9001);
    await page.keyboard.press('n');
    await expect.poll(position).toBeGreaterThan(9001);
    const before = await position();
    await page.keyboard.press(' ');
    await expect.poll(position).toBeGreaterThan(before);
    await page.keyboard.press(' ');
    await expect.poll(() => page.locator('#play').textContent()).toBe('Play');
    await page.keyboard.press('0');
    await isAt(0);
  });

  /** Of each queue, by field, the numbers that the page shows of its ring. */
  const rings = () =>
    page
      .locator('[data-queue]')
      .evaluateAll((queues) =>
        queues.map((queue) =>
          Object.fromEntries(
            [...queue.querySelectorAll('[data-value]')]
              .map((item) => [
                item.getAttribute('data-field'),
                Number(item.getAttribute('data-value')),
              ])
              .filter(([field]) => field !== 'given back' && field !== 'avail idx'),
          ),
        ),
      );

  it.each([
    ['x86_64-passthrough', [12690, 11000]],
    ['x86_64-packed-backports', [9000, 10500]],
    ['arm64-mmio', [7000]],
  ])('shows how the rings of %s stand', async (name, operations) => {
    await open(name, 0);
    for (const operation of operations) {
      const result = await replayFile(shippedTrace(name), { upto: operation });
      await jump(operation);
      const queues = queuesOf(result);
      expect(queues.filter(({ ring }) => ring !== null).length).toBeGreaterThanOrEqual(2);
      const sorted = (all: readonly object[]) => all.map((one) => JSON.stringify(one)).sort();
      await expect.poll(async () => sorted(await rings())).toEqual(sorted(queues.map(numbersOf)));
    }
    // The picture has its words, and the addresses of an endpoint lead to the map.
    const disk = page.locator('[data-queue^="blk"]').first();
    expect(await disk.getByRole('img').getAttribute('aria-label')).toMatch(
      /^the device takes slot \d+ of 256 next and gives back slot \d+ next; 0 (buffer|descriptor)s in flight/,
    );
    const link = disk.locator('[data-field="descriptor area"]').getByRole('button');
    await link.focus();
    await page.keyboard.press('Enter');
    const address = await link.textContent();
    expect(await page.locator('#address').inputValue()).toBe(address);
    await expect
      .poll(() => page.locator('.address-detail output').textContent())
      .toContain("of the guest's memory");
  });

  it('fills the slots of buffers in flight, and shows how long the device kept them', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'viommu-page-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const queue = page.locator('[data-queue="net:0"]');
    const field = (name: string) => queue.locator(`[data-field="${name}"]`).textContent();
    const openFile = async (path: string, counts: readonly number[]) => {
      recordFrame(path, counts);
      const operations = loadSteps(path).steps.length;
      await page.locator('input[type=file]').setInputFiles(path);
      await expect
        .poll(() => page.locator('#operations').textContent())
        .toBe(operations.toLocaleString('en'));
      await jump(operations);
    };
    await open('x86_64-pci', 10);
    const starved = join(folder, 'starved.vtrace');
    await openFile(starved, [3]);
    const { state } = await replayFile(starved);
    const { device } = (state.net as { session: { device: { frame: { heads: number[] } } } })
      .session;
    await expect.poll(() => field('in flight')).toBe(`3 (${device.frame.heads.join(', ')})`);
    expect(device.frame.heads.length).toBe(3);
    expect(await queue.getByRole('img').getAttribute('aria-label')).toContain(
      '3 buffers in flight',
    );
    const strip = await queue.getByRole('img').boundingBox();
    const filled = await queue.locator('.strip .in-flight').boundingBox();
    expect(Math.abs(filled!.width - (3 / 64) * strip!.width)).toBeLessThan(1.5);
    expect(await page.locator('[data-latency="net:0"]').count()).toBe(0);

    const placed = join(folder, 'placed.vtrace');
    await openFile(placed, [3, 3]);
    await expect.poll(() => field('in flight')).toBe('0');
    expect(await field('given back')).toBe('6 buffers');
    expect(await queue.locator('.strip .in-flight').count()).toBe(0);
    const working = page.locator('[data-latency="net:0"] [data-measure=working]');
    // The other three were taken in the operation in which all were used.
    expect(await working.getAttribute('data-count')).toBe('3');
    const { steps } = loadSteps(placed);
    const does = (kind: string) => (step: TraceStep) =>
      step.effects.some((one) => one.kind === kind);
    const taken = steps.find(does('networkReceive'))!;
    const used = steps.findLast(does('dmaWrite'))!;
    expect(Number(await working.getAttribute('data-worst'))).toBe(used.time - taken.time);
  });

  it('shows how long requests of the IOMMU waited', async () => {
    const name = 'x86_64-packed-backports';
    const { statistics, operations } = await replayFile(shippedTrace(name));
    const { waited } = replayWaits(loadSteps(shippedTrace(name)));
    await open(name, operations);
    const row = page.locator('[data-latency="iommu:0"]');
    const shown = (measure: string, what: string) =>
      row.locator(`[data-measure=${measure}]`).getAttribute(`data-${what}`).then(Number);
    await expect.poll(() => shown('waiting', 'worst')).toBe(Math.max(...waited));
    // Those that were found before their kick came are in no measure.
    const count = await shown('waiting', 'count');
    expect(count).toBeLessThanOrEqual(waited.length);
    expect(count).toBeGreaterThan(0.98 * waited.length);
    expect(await shown('working', 'count')).toBe(0);
    const requests = Object.values(statistics.requests).reduce((sum, one) => sum + one, 0);
    const given = page.locator('[data-queue="iommu:0"] [data-field="given back"]');
    expect(await given.getAttribute('data-value')).toBe(String(requests));
    await page.getByRole('button', { name: 'Taken to used' }).click();
    await expect
      .poll(() => page.locator('section', { has: page.locator('#latency-title') }).textContent())
      .toContain('A recording has one time for all');
  });

  it('says what is wrong with a file that is no trace', async () => {
    await open('x86_64-pci', 10);
    const file = { name: 'a.vtrace', mimeType: 'application/gzip', buffer: Buffer.from('nothing') };
    await page.locator('input[type=file]').setInputFiles(file);
    await expect.poll(() => page.getByRole('alert').textContent()).toContain('this is no trace');
  });
});

function iommusOf({ state }: ReplayResult): IommuSnapshot[] {
  return Object.values(state).flatMap((snapshot) => {
    // Over MMIO an IOMMU is one of the devices in the windows of a function.
    const { windows = [snapshot] } = snapshot as { windows?: readonly object[] };
    return windows.flatMap((one) => {
      const { session } = one as { session?: { device?: IommuSnapshot } };
      return session?.device?.domains === undefined ? [] : [session.device];
    });
  });
}

/** Those of all virtio devices, over PCI or in the windows of a function. */
function queuesOf({ state }: ReplayResult): QueueSnapshot[] {
  return Object.values(state).flatMap((snapshot) => {
    const { windows = [snapshot] } = snapshot as { windows?: readonly object[] };
    return windows.flatMap(
      (one) => (one as { session?: { queues: QueueSnapshot[] } }).session?.queues ?? [],
    );
  });
}

/** As the page shows them. */
function numbersOf({ enabled, addresses, ring }: QueueSnapshot): Record<string, number> {
  const area = (at: number) => joinLe64(addresses[at]!, addresses[at + 1]!);
  const areas = { 'descriptor area': area(0), 'driver area': area(2), 'device area': area(4) };
  return { ...(ring === null ? {} : indicesOf(ring)), ...(enabled ? areas : {}) };
}

/** The driver's index is in no snapshot: at rest the device has taken all that it has seen, but of queues that are filled ahead. */
function indicesOf(ring: NonNullable<QueueSnapshot['ring']>): Record<string, number> {
  if ('nextAvail' in ring) {
    const { nextAvail, usedIdx } = ring;
    return { 'next avail': nextAvail, 'used idx': usedIdx, 'in flight': nextAvail - usedIdx };
  }
  const { available, used, buffers } = ring;
  const inFlight = buffers.reduce((sum, one, at) => sum + (at % 2 === 1 ? one : 0), 0);
  return { available, used, 'in flight': inFlight };
}

/** As the page has them on the cards of the topology. */
function domainsOf(result: ReplayResult): string[][] {
  return iommusOf(result).flatMap(({ domains }, iommu) =>
    [...domains]
      .sort((one, other) => one.id - other.id)
      .map(({ id, mappings }) => {
        const count = mappings.length / MAPPING_FIELDS;
        return [`${iommu}:${id}`, `domain ${id}, ${count} ${count === 1 ? 'mapping' : 'mappings'}`];
      }),
  );
}
