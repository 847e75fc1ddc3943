/** The page beside a stock guest that runs: what it shows is what the guest did, as the server's own tables and results say. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type {
  DumpResult,
  FaultResult,
  ListResult,
  StatResult,
} from '../src/control/control-protocol.ts';
import { parts } from './guest-setting.ts';
import { browserPath } from './page-setting.ts';
import { Qmp } from './qmp.ts';
import { DISK, MAIN, ServedGuest } from './served-guest.ts';

const PAGE_URL = /the page is at (\S+)/;
/** Nothing is mapped there. */
const STRAY = 0x1f000;
/** Mappings that are looked up in the page. */
const LOOKED_UP = 3;
/** In the default of vitest a page under load has not drawn yet. */
/** VIRTIO_IOMMU_MAP_F_* */
const [READ, WRITE] = [1, 2];
const SOON = { timeout: 10_000, interval: 50 };

describe.runIf(parts !== undefined && browserPath !== undefined)('the page of a live guest', () => {
  let browser: Browser;
  let page: Page;
  let problems: string[];

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: browserPath!, args: ['--no-sandbox'] });
  });

  afterAll(() => browser?.close());

  beforeEach(async () => {
    problems = [];
    page = await newPage();
  });

  afterEach(async () => {
    await page.close();
    expect(problems).toEqual([]);
  });

  async function newPage(): Promise<Page> {
    const made = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    made.on('pageerror', ({ message }) => problems.push(message));
    made.on('console', (line) => {
      if (['error', 'warning'].includes(line.type())) problems.push(line.text());
    });
    return made;
  }

  const state = () => page.locator('#live-state').textContent();
  const requests = async () =>
    Number(
      /^[\d,]+/.exec((await page.locator('#request-total').textContent())!)![0].replace(',', ''),
    );
  const faults = async () =>
    Number((await page.getByRole('tab', { name: 'Faults' }).textContent())!.replace('Faults ', ''));
  const domains = (of: Page) =>
    of
      .locator('[data-domain]')
      .evaluateAll((cards) => cards.map((card) => card.getAttribute('aria-label')));
  const attached = () =>
    page
      .locator('[data-attached]')
      .evaluateAll((lines) => lines.map((line) => line.getAttribute('data-attached')));
  /** Of all endpoints, as the page shows it. */
  const bytes = () =>
    page
      .locator('[data-bytes]')
      .evaluateAll((cells) =>
        cells.reduce((sum, cell) => sum + Number(cell.getAttribute('data-bytes')), 0),
      );

  /** Of a queue such as `blk:0`. */
  const ring = (queue: string, field: string) =>
    page
      .locator(`[data-queue="${queue}"] [data-field="${field}"]`)
      .getAttribute('data-value')
      .then(Number);
  const latency = (queue: string, measure: string, what: string) =>
    page
      .locator(`[data-latency="${queue}"] [data-measure=${measure}]`)
      .getAttribute(`data-${what}`)
      .then(Number);

  describe('under viommu serve --web', () => {
    let guest: ServedGuest;
    const end = new AbortController();

    beforeEach(() => {
      guest = new ServedGuest('--web');
    });

    afterEach(() => {
      end.abort();
      guest.close();
    });

    /** What the server says while the guest stands still. */
    async function settled(): Promise<StatResult> {
      for (let last: StatResult | undefined; ; ) {
        const now = await guest.ctl<StatResult>('stat');
        if (isDeepStrictEqual(now, last)) return now;
        last = now;
        await setTimeout(100);
      }
    }

    it('shows what the guest has mapped, is told of faults, holds still when asked to, and says when it ends', async () => {
      const [, url] = await guest.printed(PAGE_URL);
      await page.goto(url!);
      await expect.poll(state, SOON).toBe('live');
      const qmpSocket = join(guest.folder, 'qmp.sock');
      let isReading = false;
      const running = guest.boot(
        [{ step: 'report' }, { step: 'bench', disk: 'vda', blockSize: 4096, count: 16_000 }],
        {
          more: ['-qmp', `unix:${qmpSocket},server=on,wait=off`],
          signal: end.signal,
          onLine: (line) => {
            isReading ||= line.includes('@viommu dmesg') && line.includes('[vda]');
          },
        },
      );
      while (!isReading) await setTimeout(50);
      const before = await requests();
      await expect.poll(requests, SOON).toBeGreaterThan(before + 100);

      const qmp = await Qmp.connect(qmpSocket);
      await qmp.execute('stop');
      const { iommus, endpoints } = await settled();
      const list = await guest.ctl<ListResult>('list');
      const domain = list.iommus[0]!.endpoints[0]!.domain!;
      const { mappings, size } = await guest.ctl<DumpResult>('dump', { domain });
      expect(size).toBeGreaterThan(0);
      const cards = [`domain ${domain}, ${size} ${size === 1 ? 'mapping' : 'mappings'}`];
      const total = Object.values(iommus[0]!.requests).reduce((sum, one) => sum + one.total, 0);
      await expect.poll(requests, SOON).toBe(total);
      await expect.poll(() => domains(page), SOON).toEqual(cards);
      expect(await attached()).toEqual([`0:${DISK}:${domain}`]);
      expect(await bytes()).toBe(endpoints[0]!.translatedBytes + endpoints[0]!.bypassedBytes);
      for (const { virtStart, physStart, flags } of mappings.slice(0, LOOKED_UP)) {
        // A buffer that the disk fills may only be written.
        await page.locator('#access').selectOption(flags & READ ? `${READ}` : `${WRITE}`);
        await page.locator('#address').fill(`0x${(virtStart + 0x123).toString(16)}`);
        await page.locator('#address').press('Enter');
        await expect
          .poll(() => page.locator('.address-detail output b').textContent(), SOON)
          .toBe(`0x${(physStart + 0x123).toString(16)}`);
      }
      // All that the driver waited for was given back; the disk was read from, and both took their time.
      expect(await ring('iommu:0', 'given back')).toBe(total);
      expect(await ring('iommu:0', 'in flight')).toBe(0);
      const given = await ring('blk:0', 'given back');
      expect(given).toBeGreaterThan(10);
      expect(await latency('blk:0', 'working', 'count')).toBe(given);
      expect(await latency('blk:0', 'working', 'worst')).toBeGreaterThan(0);
      expect(await latency('blk:0', 'waiting', 'count')).toBeLessThanOrEqual(given);
      // One that comes late has all of it.
      const late = await newPage();
      await late.goto(url!);
      await expect.poll(() => domains(late), SOON).toEqual(cards);
      expect(await late.locator('[data-queue]').allTextContents()).toEqual(
        await page.locator('[data-queue]').allTextContents(),
      );
      await late.close();

      await page.locator('#play').click();
      expect(await state()).toBe('paused; the machine goes on');
      const stray = { endpoint: '00:05.0', address: STRAY, access: 'write' };
      expect(await guest.ctl<FaultResult>('fault', stray)).toMatchObject({ delivered: true });
      await setTimeout(500);
      expect(await faults()).toBe(0);
      await page.keyboard.press('Space');
      await expect.poll(faults, SOON).toBe(1);
      expect(await state()).toBe('live');
      await page.getByRole('tab', { name: 'Faults' }).click();
      expect(await page.locator('[data-fault]').textContent()).toContain(
        'may not write at 0x1f000',
      );

      qmp.close();
      guest.server.kill('SIGTERM');
      await expect.poll(state, SOON).toMatch(/^viommu serve has ended/);
      expect(await faults()).toBe(1);
      expect(await domains(page)).toEqual(cards);
      end.abort();
      await running;
    });
  });

  describe('under viommu linux --web', () => {
    let command: ChildProcess | undefined;

    afterEach(() => {
      command?.kill('SIGTERM');
    });

    it('ends with the counts of the JSON report, faults among them', async () => {
      command = spawn(
        process.execPath,
        [MAIN, 'linux', '--scenario', 'passthrough', '--web', '--json'],
        { stdio: ['ignore', 'pipe', 'pipe'] },
      );
      let [printed, told] = ['', ''];
      command.stdout!.on('data', (text: Buffer) => {
        printed += text;
      });
      command.stderr!.on('data', (text: Buffer) => {
        told += text;
      });
      while (!PAGE_URL.test(told)) await once(command.stderr!, 'data');
      await page.goto(PAGE_URL.exec(told)![1]!);
      const ended = once(command, 'exit');
      await expect.poll(state, { ...SOON, timeout: 60_000 }).toBe('live');
      // Until the guest has a driver, the device that is passed through bypasses: stage 2 alone is between it and the host's memory.
      await page.locator('#endpoint').selectOption({ label: 'engine (00:08.0)' });
      await page.locator('#address').fill('0x100000');
      await page.locator('#address').press('Enter');
      await expect
        .poll(() => page.locator('[data-stage] b').allTextContents(), { ...SOON, timeout: 60_000 })
        .toEqual(['0x100000', expect.stringMatching(/^0x/), expect.stringMatching(/^0x/)]);
      const used = new Set<string>();
      const watching = (async () => {
        while (!(await state())!.startsWith('the guest has ended')) {
          for (const card of await domains(page)) used.add(card!.split(',')[0]!);
          await setTimeout(50);
        }
      })();
      const [code] = await ended;
      await watching;
      expect(code).toBe(0);
      const result = JSON.parse(printed);
      await expect.poll(state, SOON).toMatch(/^the guest has ended/);
      const total = Object.values<number>(result.requests).reduce((sum, count) => sum + count, 0);
      expect(await requests()).toBe(total);
      expect(await faults()).toBe(result.faults);
      expect(await bytes()).toBe(result.dma.translatedBytes + result.dma.bypassedBytes);
      expect(told).toContain('replay FILE --web');
      // The guest resets its devices when it powers off, and what it had before is kept.
      expect(await state()).toContain('domains are those of before the IOMMU was reset');
      expect(await attached()).toContainEqual(expect.stringMatching(`^0:${DISK}:`));
      expect((await domains(page)).length).toBeGreaterThan(0);
      for (const card of await domains(page)) expect(used).toContain(card!.split(',')[0]);
      const standing = () =>
        page
          .locator('[data-step]')
          .evaluateAll((all) => all.map((one) => one.getAttribute('data-state')));
      expect(await standing()).toEqual(['unseen', 'done', 'done', 'done', 'done']);
      const { copies, guestMappings, accesses } = result.passthrough;
      const said = (step: string) => page.locator(`[data-step="${step}"] p`).textContent();
      expect(await said('1b')).toContain(`${guestMappings} times so far`);
      expect(await said('2b')).toContain(
        `may not read at 0x${copies.at(-1).errorAddress.toString(16)}`,
      );
      expect(await said('2b')).toContain(`${accesses + result.faults} times so far`);
    });
  });
});
