// Makes pictures of the built page for the READMEs, in docs/pictures/: each view, at moments that are found by what happens there.
// The browser gets the files of dist/ by themselves, without a server, the guest's among them: `pnpm build:web` comes before. Fails when
// the pictures have become too large.
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

/** Bytes of all pictures: they are in the repository. */
const LARGEST = 750_000;

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const pictures = here('../../docs/pictures/');
const ORIGIN = 'http://page.test/';
const SCENARIO = '#trace=scenario-1';
const BOOT = '#trace=x86_64-passthrough';
const GUEST = '#trace=linux';
/** A guest that boots beside much else takes its time. */
const BOOTED = { timeout: 300_000 };

/** Around what is in a picture. */
const MARGIN = 8;
/** So high that nothing has to be scrolled. */
const HEIGHT = 3000;
const [WIDE, NARROW] = [1280, 400];

/** A picture shows the first and the last of `parts`, and all between. */
const PICTURES = [
  { name: 'scenario', place: SCENARIO, prepare: isDriven, parts: ['.top', '.figure'] },
  { name: 'guest', place: GUEST, prepare: isPlayedWith, parts: ['.guest'] },
  { name: 'scenario-dark', place: SCENARIO, prepare: isRefused, parts: ['.figure'] },
  { name: 'map', place: BOOT, prepare: isDriven, parts: ['.map'] },
  { name: 'refused-dark', place: BOOT, prepare: isRefused, parts: ['.address-detail'] },
  { name: 'requests', place: BOOT, prepare: looksAtRequest, parts: ['.events'] },
  { name: 'faults-dark', place: BOOT, prepare: looksAtFault, parts: ['.events'] },
  { name: 'rings', place: BOOT, prepare: isRefused, parts: ['.rings'] },
  { name: 'topology', place: BOOT, prepare: isRefused, parts: ['.topology', '.traffic'] },
  {
    name: 'narrow',
    place: BOOT,
    prepare: isDriven,
    parts: ['.legend', '.address-detail'],
    width: NARROW,
  },
];

rmSync(pictures, { recursive: true, force: true });
mkdirSync(pictures, { recursive: true });
const executablePath = process.env.VIOMMU_BROWSER ?? '/usr/bin/chromium';
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
try {
  for (const { name, place, prepare, parts, width = WIDE } of PICTURES) {
    const colorScheme = name.endsWith('-dark') ? 'dark' : 'light';
    const page = await browser.newPage({ viewport: { width, height: HEIGHT }, colorScheme });
    await page.route(`${ORIGIN}**`, (route) => {
      const { pathname } = new URL(route.request().url());
      return route.fulfill({ path: here(`dist${pathname === '/' ? '/index.html' : pathname}`) });
    });
    await page.goto(`${ORIGIN}${place}`);
    await prepare(page);
    // Nothing is pointed at, and the keyboard is nowhere.
    await page.mouse.move(0, 0);
    await page.evaluate(() => {
      document.activeElement?.blur();
      scrollTo(0, 0);
    });
    const path = `${pictures}${name}.png`;
    await page.screenshot({ path, clip: await clipOf(page, parts) });
    process.stdout.write(`docs/pictures/${name}.png: ${statSync(path).size} bytes\n`);
    await page.close();
  }
} finally {
  await browser.close();
}
const total = readdirSync(pictures).reduce((sum, file) => sum + statSync(pictures + file).size, 0);
process.stdout.write(`together: ${total} bytes\n`);
if (total > LARGEST) {
  process.stderr.write(
    `the pictures have ${total} bytes, more than ${LARGEST}: make them smaller\n`,
  );
  process.exitCode = 1;
}

async function clipOf(page, parts) {
  const first = await page.locator(parts[0]).first().boundingBox();
  const last = await page.locator(parts.at(-1)).last().boundingBox();
  const x = Math.max(first.x - MARGIN, 0);
  const y = Math.max(first.y - MARGIN, 0);
  const right = Math.max(first.x + first.width, last.x + last.width) + MARGIN;
  return { x, y, width: right - x, height: last.y + last.height + MARGIN - y };
}

/** To where a step of the figure first happens. */
async function goTo(page, step) {
  await page.locator('#position:enabled').waitFor();
  await page.locator(`[data-step="${step}"] button`).click();
  await page.locator(`[data-step="${step}"][data-state=now]`).waitFor();
}

/** The device's access that has just been translated or refused is walked through. */
async function walkAccess(page) {
  const text = await page.locator('[data-step="2b"] p').textContent();
  await page.locator('#endpoint').selectOption({ label: await engineOf(page) });
  const access = text.startsWith('writes') ? 'written by' : 'read by';
  await page.locator('#access').selectOption({ label: access });
  await page.locator('#address').fill(/ at (0x[0-9a-f]+)/.exec(text)[1]);
  await page.locator('#address').press('Enter');
  await page.locator('[data-stage=host]').waitFor();
}

/** The first one: the device whose accesses the figure is about. */
async function engineOf(page) {
  const labels = await page.locator('#endpoint option').allTextContents();
  return labels.find((label) => label.startsWith('engine'));
}

async function isDriven(page) {
  await goTo(page, '2b');
  await walkAccess(page);
}

async function isRefused(page) {
  await page.locator('#position:enabled').waitFor();
  await page.getByRole('button', { name: 'Fault' }).click();
  await page.locator('[data-step="2b"][data-state=refused]').waitFor();
  await walkAccess(page);
}

async function looksAtFault(page) {
  await isRefused(page);
  await page.getByRole('tab', { name: 'Faults' }).click();
  await page.locator('[data-fault] button').first().click();
}

/** The guest's driver has asked for a mapping in the device's domain. */
async function looksAtRequest(page) {
  await goTo(page, '1b');
  await page.locator('#endpoint').selectOption({ label: await engineOf(page) });
  await page.getByRole('listbox').press('ArrowUp');
  await page.locator('[data-field=virt_start] button').click();
}

/** A file was read, and a device went astray. */
async function isPlayedWith(page) {
  await page.locator('.guest').waitFor();
  await page.getByText('Type, or press a button').waitFor(BOOTED);
  await page.locator('#try-read').click();
  await page.getByText('The map and the log').waitFor();
  await page.locator('#try-stray').click();
  await page.getByText('page fault from EP').waitFor();
}
