// Makes pictures of the built page, in screenshots/. The browser gets the files of dist/ by themselves, without a server.
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const ORIGIN = 'http://page.test/';
/** A guest's user space has mapped memory for a device, the device has copied, and has run into a fault. */
const PLACE = '#trace=x86_64-passthrough&operation=12690';

/** A device passed through twice, while it is mapped for the physical IOMMU. */
const SCENARIO = '#trace=scenario-1&operation=12';

const PICTURES = [
  { name: 'light', width: 1280, height: 800, colorScheme: 'light', tab: 'Requests' },
  { name: 'dark', width: 1280, height: 800, colorScheme: 'dark', tab: 'Faults' },
  { name: 'narrow', width: 400, height: 800, colorScheme: 'light', tab: 'Requests' },
  { name: 'scenario', width: 1280, height: 800, colorScheme: 'light', address: '0x7f0000001010' },
  {
    name: 'scenario-dark',
    width: 1280,
    height: 800,
    colorScheme: 'dark',
    address: '0x7f0000002000',
  },
];

mkdirSync(here('screenshots'), { recursive: true });
const executablePath = process.env.VIOMMU_BROWSER ?? '/usr/bin/chromium';
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
try {
  for (const { name, width, height, colorScheme, tab, address } of PICTURES) {
    const page = await browser.newPage({ viewport: { width, height }, colorScheme });
    await page.route(`${ORIGIN}**`, (route) => {
      const { pathname } = new URL(route.request().url());
      return route.fulfill({ path: here(`dist${pathname === '/' ? '/index.html' : pathname}`) });
    });
    await page.goto(`${ORIGIN}${address === undefined ? PLACE : SCENARIO}`);
    if (address === undefined) await openTab(page, tab);
    else await type(page, address);
    await page.evaluate(() => scrollTo(0, 0));
    await page.screenshot({ path: here(`screenshots/${name}.png`), fullPage: true });
    process.stdout.write(`screenshots/${name}.png\n`);
    await page.close();
  }
} finally {
  await browser.close();
}

async function openTab(page, tab) {
  await page.locator('[data-domain="0:4"]').waitFor();
  if (tab === 'Requests') await page.getByRole('listbox').press('ArrowUp');
  await page.getByRole('tab', { name: tab }).click();
  const link = tab === 'Faults' ? '[data-fault] button' : '[data-field=virt_start] button';
  await page.locator(link).first().click();
}

async function type(page, address) {
  await page.locator('[data-domain="0:1"]').waitFor();
  await page.locator('#address').fill(address);
  await page.locator('#address').press('Enter');
  await page.locator('[data-stage=host] .end').waitFor();
}
