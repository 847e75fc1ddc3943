// `pnpm --filter @viommu/web measure [RUNS]`: boots the guest of the built page in Chromium, and says how much a page fetches, how long it
// takes to the shell, and how long the page's main thread is kept busy meanwhile and while buttons are pressed.
import { createReadStream } from 'node:fs';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const RUNS = Number(process.argv[2] ?? 3);
if (!Number.isInteger(RUNS) || RUNS < 1) {
  process.stderr.write('measure: give the number of runs, from 1\n');
  process.exit(1);
}
const TYPES = {
  js: 'text/javascript',
  html: 'text/html',
  css: 'text/css',
  json: 'application/json',
};
const SETTLE_MILLISECONDS = 3000;
/** Pressed one after the other, and again: what has devices at work, and a refused access. */
const BUTTONS = ['try-read', 'try-write', 'try-random', 'try-stray'];
const BUSY_MILLISECONDS = 10_000;
const dist = fileURLToPath(new URL('dist', import.meta.url));

let sent = 0;
const server = createServer(({ url }, response) => {
  const { pathname } = new URL(url, 'http://localhost');
  const name = pathname === '/' ? '/index.html' : pathname;
  response.setHeader('content-type', TYPES[name.split('.').at(-1)] ?? 'application/octet-stream');
  createReadStream(dist + name)
    .on('data', (chunk) => {
      sent += chunk.length;
    })
    .on('error', () => response.writeHead(404).end())
    .pipe(response);
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const address = `http://127.0.0.1:${server.address().port}/#trace=linux`;

const boots = [];
const longest = [];
for (let run = 0; run < RUNS; run += 1) {
  const browser = await chromium.launch({
    executablePath: process.env.VIOMMU_BROWSER || '/usr/bin/chromium',
    args: ['--no-sandbox'],
  });
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  await page.addInitScript(() => {
    globalThis.longTasks = [];
    new PerformanceObserver((list) => {
      globalThis.longTasks.push(
        ...list.getEntries().map(({ startTime, duration }) => [startTime, duration]),
      );
    }).observe({ type: 'longtask', buffered: true });
  });
  // A browser that starts is at work itself.
  await page.goto('about:blank');
  await page.waitForTimeout(SETTLE_MILLISECONDS);
  sent = 0;
  const started = performance.now();
  await page.goto(address);
  await page.getByText('Type, or press a button').waitFor({ timeout: 300_000 });
  const seconds = (performance.now() - started) / 1000;
  // Tasks of the page's own start are counted, too.
  const end = performance.now() + BUSY_MILLISECONDS;
  for (let press = 0; performance.now() < end; press += 1) {
    await page.locator(`#${BUTTONS[press % BUTTONS.length]}`).click();
    await page.waitForTimeout(500);
  }
  const tasks = await page.evaluate(() => globalThis.longTasks);
  const over = tasks.filter(([, duration]) => duration > 100);
  boots.push(seconds);
  longest.push(Math.max(0, ...tasks.map(([, duration]) => duration)));
  process.stdout.write(
    `run ${run + 1}: ${sent} bytes sent, ${seconds.toFixed(1)} s to the shell; the longest task of the main thread ${longest.at(-1).toFixed(0)} ms, ${over.length} over 100 ms${over.map(([at, duration]) => `, ${duration.toFixed(0)} at ${(at / 1000).toFixed(1)} s`).join('')}\n`,
  );
  await browser.close();
}
server.close();
const median = (list) => [...list].sort((one, other) => one - other)[list.length >> 1];
process.stdout.write(
  `median of ${RUNS}: ${median(boots).toFixed(1)} s to the shell, longest task ${median(longest).toFixed(0)} ms\n`,
);
