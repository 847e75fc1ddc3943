/** A page that follows a busy machine: 100,000 mappings, 2,000 requests a second. */
import { RequestDriver } from '@viommu/iommu-core/testing';
import { createMachine, pciEndpoint } from '@viommu/machine';
import { type Browser, chromium } from 'playwright-core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PageFeed } from '../src/server/page-feed.ts';
import { type LivePage, serveLivePage } from '../src/web/live-page.ts';
import { browserPath } from './page-setting.ts';

const RNG = 0x28;
const PAGE = 4096;
const MAPPINGS = 100_000;
const REQUESTS_PER_SECOND = 2000;
const SECONDS = 5;
/** Milliseconds between two frames that somebody sees. */
const STUTTER = 100;
/** In the page: the milliseconds between the frames of some seconds. */
const GAPS = `new Promise((resolve) => {
  const gaps = [];
  let last = performance.now();
  const end = last + ${SECONDS * 1000};
  requestAnimationFrame(function frame(now) {
    gaps.push(now - last);
    last = now;
    if (now < end) requestAnimationFrame(frame);
    else resolve(gaps);
  });
})`;
const DESCRIPTION = {
  iommus: [{ place: { bus: 'pci', bdf: 0x20 }, bootBypass: false }],
  devices: [{ kind: 'rng', ...pciEndpoint(RNG) }],
  msiWindows: [],
} as const;

describe.skipIf(browserPath === undefined)('a page beside a busy machine', () => {
  let browser: Browser;
  let live: LivePage;

  beforeEach(async () => {
    browser = await chromium.launch({ executablePath: browserPath!, args: ['--no-sandbox'] });
    live = await serveLivePage();
  });

  afterEach(async () => {
    await browser?.close();
    await live?.close('the test is over');
  });

  it('draws all the time, and has all of it in the end', async () => {
    const feed = new PageFeed(DESCRIPTION, live.watcher.board, (message) =>
      live.watcher.take(message),
    );
    const machine = createMachine(DESCRIPTION, {
      parts: {
        openDisk: () => Promise.reject(new Error('no disks')) as never,
        openNetwork: () => Promise.reject(new Error('no networks')) as never,
        fillRandom() {},
      },
      observe: feed.observe,
    });
    feed.open(machine);
    const driver = new RequestDriver(machine.iommus[0]!.device);
    driver.attach(1, RNG);
    const range = (page: number): [number, number] => [page * PAGE, (page + 1) * PAGE - 1];
    // Every other page, so that none joins the next.
    for (let page = 0; page < MAPPINGS; page += 1) driver.map(1, ...range(2 * page), 0x1000, 3);
    let requests = MAPPINGS + 1;
    let isBusy = true;
    const began = performance.now();
    const timer = setInterval(() => {
      const due = ((performance.now() - began) / 1000) * REQUESTS_PER_SECOND;
      for (; isBusy && requests - MAPPINGS - 1 < due; requests += 2) {
        const page = 2 * ((requests * 7919) % MAPPINGS);
        driver.unmap(1, ...range(page));
        driver.map(1, ...range(page), 0x1000, 3);
      }
      feed.work();
    }, 10);
    try {
      const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
      await page.goto(live.url);
      await page.locator('[data-domain]').waitFor();
      const gaps = await page.evaluate<number[]>(GAPS);
      isBusy = false;
      const total = () => page.locator('#request-total').textContent();
      await expect
        .poll(total, { timeout: 10_000 })
        .toBe(`${requests.toLocaleString('en')} requests`);
      // The log goes along.
      await page.locator(`#request-${requests - 1}`).waitFor({ timeout: 10_000 });
      expect(await page.locator('[data-domain]').getAttribute('aria-label')).toBe(
        `domain 1, ${MAPPINGS.toLocaleString('en')} mappings`,
      );
      const sum = (some: readonly number[]) => some.reduce((all, one) => all + one, 0);
      expect(sum(gaps.filter((gap) => gap > STUTTER))).toBeLessThan(sum(gaps) / 5);
    } finally {
      clearInterval(timer);
      machine.close();
    }
  });
});
