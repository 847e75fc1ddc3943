/** A guest that boots in the page, in a real browser: what the page shows is what the guest's own terminal says. */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import {
  makePageFolder,
  prepareV86Guest,
  type V86GuestParts,
  v86GuestIsCached,
} from '@viommu/v86-guest';
import type { Page } from 'playwright-core';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { browserPath, usePage } from './page-setting.ts';

const web = dirname(createRequire(import.meta.url).resolve('@viommu/web/package.json'));
/** In CI the tests must run, and the kernel is built before them; elsewhere the cache decides. */
const isReady = Boolean(process.env.CI) || v86GuestIsCached();
if (!isReady) {
  process.stderr.write(
    'tests of the guest in the page are skipped: its kernel is not built; `npm run guest:v86` builds it\n',
  );
}
/** Nothing else of this machine may be in its way. */
const BOOTED = { timeout: 180_000, interval: 200 };
const SOON = { timeout: 60_000, interval: 100 };
const MEBIBYTE = 1 << 20;

describe.runIf(isReady && browserPath !== undefined)(
  'a guest in the page',
  { timeout: 300_000 },
  () => {
    let parts: V86GuestParts;
    // Before the page is served: what is there then is what it has.
    beforeAll(async () => {
      parts = await prepareV86Guest();
      makePageFolder(parts, join(web, 'guest'), join(web, 'dist/guest'));
    });
    const setting = usePage();
    let page: Page;

    beforeEach(async () => {
      ({ page } = setting);
      await page.goto(`${setting.server.url}#trace=linux`);
    });

    const screen = async (): Promise<string> =>
      (await page.locator('.xterm-rows > div').allTextContents())
        .join('\n')
        .replaceAll('\u00a0', ' ');
    /** Until there is something on the screen. */
    const says = (text: string | RegExp, options = SOON) =>
      expect.poll(screen, options).toMatch(text instanceof RegExp ? text : new RegExp(text));

    let commands = 0;
    /** Types a command, and waits for what it says. */
    async function run(command: string): Promise<string> {
      commands += 1;
      const mark = `done-${commands}`;
      await page.locator('.screen').click();
      await page.keyboard.type(`clear; ${command}; echo ${mark.replace('-', '"-"')}\n`);
      await says(mark);
      const text = await screen();
      return text.slice(0, text.indexOf(mark)).trim();
    }

    /** Of an endpoint, what went through its IOMMU. */
    const bytesOf = (endpoint: string) =>
      page
        .locator(`[data-endpoint="${endpoint}"] [data-bytes]`)
        .getAttribute('data-bytes')
        .then(Number);
    /** Of each domain: its number, and what its card says. */
    const domains = () =>
      page
        .locator('[data-domain]')
        .evaluateAll((cards) =>
          cards.map((card) => [card.getAttribute('data-domain'), card.getAttribute('aria-label')]),
        );
    const mappingsOf = async (domain: string): Promise<number> => {
      const label = (await domains()).find(([name]) => name === domain)?.[1] ?? '';
      return Number(/(\d[\d,]*) mapping/.exec(label)?.[1]?.replaceAll(',', '') ?? Number.NaN);
    };

    /** One buffer after the other: the guest's kernel asks for random bytes meanwhile, when it likes. */
    async function stepUntil(what: () => Promise<string>, expected: string): Promise<void> {
      for (let step = 0; step < 4; step += 1) {
        await page.locator('#step-dma').click();
        if ((await what()) === expected) return;
        // The guest's kernel has to be told, and the program to go on.
        if ((await what()) === expected) return;
      }
      expect(await what()).toBe(expected);
    }

    it('boots to a shell, and its accesses, mappings, domains and faults are on the page', async () => {
      await says('Type, or press a button', BOOTED);
      expect(await screen()).toContain(parts.kernelRelease);
      expect(await screen()).toMatch(/0000:00:05\.0, DMA *\n.*0000:00:06\.0, DMA/);
      await expect.poll(domains, SOON).toHaveLength(2);

      // What is reserved.
      const regions = await run('cat /sys/kernel/iommu_groups/0/reserved_regions');
      expect(regions).toMatch(/0x0*fee00000 0x0*feefffff msi/);
      expect(await page.locator('.clusters').textContent()).toContain('0xfee00000');

      // What the disk does.
      const before = await bytesOf('0:40');
      const copied = await run('dd if=/dev/vda of=/dev/null bs=64k count=16 iflag=direct 2>&1');
      expect(copied).toContain('16+0 records in');
      await expect.poll(() => bytesOf('0:40'), SOON).toBeGreaterThanOrEqual(before + MEBIBYTE);
      expect(await bytesOf('0:40')).toBeLessThan(before + 1.2 * MEBIBYTE);

      // A file.
      await page.locator('#try-read').click();
      await says('Dear reader');

      // A domain without translation, and back, and another one.
      const typeOf = () => run('cat /sys/kernel/iommu_groups/1/type');
      await page.locator('#try-bypass').click();
      await says('DMA -> identity');
      expect(await typeOf()).toBe('identity');
      await expect.poll(() => page.locator('.topology').textContent(), SOON).toContain('bypass');
      await page.locator('#try-translate').click();
      await says('identity -> DMA');
      await expect
        .poll(() => page.locator('.topology').textContent(), SOON)
        .not.toContain('bypass');
      const translated = (await domains()).map(([name]) => name);
      expect(translated).toHaveLength(2);
      await page.locator('#try-move').click();
      await says('another domain of type DMA');
      expect(await typeOf()).toBe('DMA');
      await expect
        .poll(async () => (await domains()).map(([name]) => name), SOON)
        .not.toEqual(translated);

      // A device that goes astray.
      expect(await page.getByRole('tab', { name: 'Faults' }).textContent()).toBe('Faults 0');
      await run('true');
      await page.locator('#try-stray').click();
      await says(/page fault from EP 40 at 0xbad0000 \[R\]/);
      await page.getByRole('tab', { name: 'Faults' }).click();
      await expect.poll(() => page.locator('[data-fault]').count(), SOON).toBe(1);
      const fault = await page.locator('[data-fault]').textContent();
      expect(fault).toContain('endpoint 0x28');
      expect(fault).toContain('0xbad0000');
    });

    it('holds DMA, and lets single buffers through', async () => {
      await says('Type, or press a button', BOOTED);
      const inFlight = async () =>
        (await run('cat /sys/block/vda/inflight')).split(/\s+/).map(Number);
      expect(await inFlight()).toEqual([0, 0]);
      const mapped = await mappingsOf('0:0');
      await page.locator('#hold').click();
      await run('{ dd if=/dev/vda of=/tmp/copy bs=4k count=3 iflag=direct 2>/dev/null & }');
      // The first read is mapped, and waits.
      await expect.poll(inFlight, SOON).toEqual([1, 0]);
      await expect.poll(() => mappingsOf('0:0'), SOON).toBeGreaterThan(mapped);
      expect(await run('wc -c </tmp/copy')).toBe('0');
      for (const bytes of [4096, 8192]) {
        await stepUntil(() => run('wc -c </tmp/copy'), String(bytes));
        expect(await inFlight()).toEqual([1, 0]);
      }
      await page.locator('#hold').click();
      await expect.poll(() => run('wc -c </tmp/copy'), SOON).toBe('12288');
      expect(await inFlight()).toEqual([0, 0]);
      await expect.poll(() => mappingsOf('0:0'), SOON).toBe(mapped);
    });

    it('says what is to be done where the page has no guest, and plays what it has', async () => {
      await page.route('**/guest/guest.json', (route) =>
        route.fulfill({ body: 'null', contentType: 'application/json' }),
      );
      await page.reload();
      await page.locator('#guest-missing').waitFor();
      expect(await page.locator('#guest-missing').textContent()).toContain('pnpm build:web');
      await page.locator('#trace').selectOption('scenario-2');
      await expect.poll(() => page.locator('#operations').textContent(), SOON).toMatch(/^[1-9]/);
      expect(await page.locator('.guest').count()).toBe(0);
    });
  },
);
