/** What the tests of the page share: a real browser, or the reason why there is none. */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { type PageServer, servePage } from '../src/web/page-server.ts';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];

/** $VIOMMU_BROWSER, or a Chromium that is in the path. */
export const browserPath = process.env.VIOMMU_BROWSER || findInPath();
if (browserPath === undefined) {
  process.stderr.write(
    'tests of the page are skipped: there is no Chromium in the path; install one, or name it in VIOMMU_BROWSER\n',
  );
}

/** What a test of the page has. */
export class PageSetting {
  page!: Page;
  server!: PageServer;

  /** @param place behind the `#` of the page's address */
  async open(place: string, operation: number): Promise<void> {
    await this.page.goto(`${this.server.url}#${place}&operation=${operation}`);
    await this.isAt(operation);
  }

  readonly position = (): Promise<number> =>
    this.page.locator('#position').inputValue().then(Number);

  /** Waits until the page is there. */
  isAt(operation: number): Promise<void> {
    return expect.poll(this.position, { timeout: 60_000, interval: 50 }).toBe(operation);
  }
}

/** For a `describe`: a fresh page for each of its tests, which fails when the page complains in its console. */
export function usePage(): PageSetting {
  const setting = new PageSetting();
  let browser: Browser;
  let problems: string[];

  beforeAll(async () => {
    setting.server = await servePage();
    browser = await chromium.launch({ executablePath: browserPath!, args: ['--no-sandbox'] });
  });

  afterAll(async () => {
    await browser?.close();
    setting.server?.close();
  });

  beforeEach(async () => {
    problems = [];
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    page.on('pageerror', ({ message }) => problems.push(message));
    page.on('console', (line) => {
      if (['error', 'warning'].includes(line.type())) problems.push(line.text());
    });
    setting.page = page;
  });

  afterEach(async () => {
    await setting.page.close();
    expect(problems).toEqual([]);
  });
  return setting;
}

function findInPath(): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find(existsSync);
}
