/** A device that is passed through in the page of a machine that runs: its figure, and walks to where the machine itself brings an access. */
import { DmaEngineDriver } from '@viommu/devices/driver';
import { AddressAllocator, IommuDriver } from '@viommu/iommu-driver';
import { createMachine, type Machine, type MachineParts } from '@viommu/machine';
import { InProcessBus, PASS_THROUGH_MACHINE, PCI_TRANSPORT } from '@viommu/scenarios';
import { ArrayGuestMemory } from '@viommu/virtqueue';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PageFeed } from '../src/server/page-feed.ts';
import { type LivePage, serveLivePage } from '../src/web/live-page.ts';
import { browserPath } from './page-setting.ts';

const [ENGINE, OTHER] = PASS_THROUGH_MACHINE.devices.map(({ endpoint }) => endpoint);
const RAM = { base: 0x4000_0000, length: 1 << 20 };
const PAGE = 4096;
const DOMAIN = 1;
const IOVA = 0x7f00_0000_0000;
const [READ, WRITE] = [1, 2];
const SOON = { timeout: 10_000, interval: 50 };
const NO_PARTS = {} as MachineParts;

const hex = (address: number): string => `0x${address.toString(16)}`;

describe.skipIf(browserPath === undefined)(
  'the page of a machine that runs, with a device passed through',
  () => {
    let browser: Browser;
    let live: LivePage;
    let machine: Machine;
    let bus: InProcessBus;
    let driver: IommuDriver;
    let timer: NodeJS.Timeout;
    let page: Page;

    beforeEach(async () => {
      browser = await chromium.launch({ executablePath: browserPath!, args: ['--no-sandbox'] });
      live = await serveLivePage();
      const feed = new PageFeed(PASS_THROUGH_MACHINE, live.watcher.board, (message) =>
        live.watcher.take(message),
      );
      machine = createMachine(PASS_THROUGH_MACHINE, {
        parts: NO_PARTS,
        hostFrameSize: PAGE,
        observe: feed.observe,
        passThroughObserver: feed.passThroughObserver,
      });
      feed.open(machine);
      const functions = machine.functions.map((one) => one.function);
      const memory = new ArrayGuestMemory([
        { base: RAM.base, buffer: new ArrayBuffer(RAM.length) },
      ]);
      bus = new InProcessBus(functions, memory, PCI_TRANSPORT);
      driver = new IommuDriver({
        transport: bus.transportOf(functions[0]!),
        memory,
        pages: new AddressAllocator(RAM.base, RAM.base + RAM.length - 1, PAGE),
        wait: bus.wait,
      });
      driver.attach(DOMAIN, ENGINE!);
      driver.map(DOMAIN, IOVA, IOVA + 2 * PAGE - 1, RAM.base + 5 * PAGE, READ | WRITE);
      timer = setInterval(() => feed.work(), 10);
      page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
      await page.goto(live.url);
      await page.locator(`[data-domain="0:${DOMAIN}"]`).waitFor();
    });

    afterEach(async () => {
      clearInterval(timer);
      bus?.close();
      machine?.close();
      await browser?.close();
      await live?.close('the test is over');
    });

    async function type(address: number): Promise<void> {
      await page.locator('#address').fill(hex(address));
      await page.locator('#address').press('Enter');
    }

    const ends = () => page.locator('[data-stage] b').allTextContents();
    const verdict = () => page.locator('.address-detail output').textContent();

    /** Of the engine's read, as the machine translates it now. */
    function expected(address: number): string[] {
      const out = { physical: 0, length: 0, bypass: false };
      const { backend, passThrough } = machine.iommus[0]!;
      expect(backend.translate(ENGINE!, address, 1, READ, out)).toBe(0);
      const guestPhysical = machine.iommus[0]!.device.mappingsOf(DOMAIN)!.find(address)!;
      const guest = guestPhysical.physStart + (address - guestPhysical.virtStart);
      const slot = passThrough!.slots.slots.find(
        ({ guestStart, length }) => guestStart <= guest && guest < guestStart + length,
      )!;
      return [guest, slot.userAddress + (guest - slot.guestStart), out.physical].map(hex);
    }

    const standing = () =>
      page
        .locator('[data-step]')
        .evaluateAll((all) =>
          all.map((one) => `${one.getAttribute('data-step')} ${one.getAttribute('data-state')}`),
        );
    const said = (step: string) => page.locator(`[data-step="${step}"] p`).textContent();

    it('lights the steps of the figure as they happen, and says what stays in the guest', async () => {
      const rest = ['1a unseen', '1b done', '1c done', '2a ahead', '2b ahead'];
      await expect.poll(standing, SOON).toEqual(rest);
      expect(await said('1a')).toContain('stays within the guest');
      expect(await said('1b')).toBe(
        `MAP: IOVA ${hex(IOVA)}..${hex(IOVA + 2 * PAGE - 1)} of domain ${DOMAIN} is guest-physical ${hex(RAM.base + 5 * PAGE)}`,
      );
      // Two frames of the host, which are not beside each other.
      expect(await said('1c')).toContain(' · 2 times so far');
      const engine = new DmaEngineDriver({
        access: machine.functions[1]!.function,
        message: { address: 0xfee0_0000, data: 1 },
        wait: bus.wait,
      });
      expect(engine.copy(IOVA, IOVA + PAGE, 64).done).toBe(true);
      await expect.poll(standing, SOON).toEqual([...rest.slice(0, 3), '2a now', '2b now']);
      expect(await said('2a')).toContain(
        `to copy 64 bytes from ${hex(IOVA)} to ${hex(IOVA + PAGE)}`,
      );
      expect(await said('2b')).toContain(
        `writes 64 bytes at ${hex(IOVA + PAGE)}, which is host-physical ${expected(IOVA + PAGE)[2]} · 2 times so far`,
      );
      await expect.poll(standing, SOON).toEqual([...rest.slice(0, 3), '2a done', '2b done']);
      expect(engine.copy(IOVA + 2 * PAGE, IOVA, 64).done).toBe(false);
      await expect.poll(standing, SOON).toEqual([...rest.slice(0, 3), '2a now', '2b refused']);
      expect(await said('2b')).toContain(
        `may not read at ${hex(IOVA + 2 * PAGE)}: nothing is mapped`,
      );
    });

    it('goes through both stages, and follows what the guest maps and unmaps', async () => {
      expect(live.watcher.board.queries().every((query) => query === undefined)).toBe(true);
      for (const address of [IOVA, IOVA + PAGE + 0x123]) {
        await type(address);
        await expect.poll(ends, SOON).toEqual(expected(address));
      }
      const address = IOVA + PAGE + 0x123;
      const before = expected(address);
      driver.unmap(DOMAIN, IOVA, IOVA + 2 * PAGE - 1);
      await expect.poll(verdict, SOON).toBe('is not mapped: an access there is a fault');
      driver.map(DOMAIN, IOVA, IOVA + 2 * PAGE - 1, RAM.base + 9 * PAGE, READ);
      await expect.poll(ends, SOON).toEqual(expected(address));
      expect(expected(address)).not.toEqual(before);
      await page.locator('#access').selectOption(String(WRITE));
      await expect.poll(verdict, SOON).toBe('the mapping there does not allow it: it is a fault');
      await page.locator('#endpoint').selectOption({ index: 1 });
      expect(OTHER).not.toBe(ENGINE);
      await expect.poll(verdict, SOON).toBe('the endpoint has no domain: it is a fault');
    });

    it('stays that of the moment while the page is paused, where stage 1 of another address is known', async () => {
      await type(IOVA);
      const then = expected(IOVA);
      await expect.poll(ends, SOON).toEqual(then);
      await page.locator('#play').click();
      driver.unmap(DOMAIN, IOVA, IOVA + 2 * PAGE - 1);
      await page.waitForTimeout(300);
      expect(await ends()).toEqual(then);
      await type(IOVA + 0x10);
      await expect.poll(ends, SOON).toEqual([hex(RAM.base + 5 * PAGE + 0x10)]);
      await page.locator('#play').click();
      await expect.poll(verdict, SOON).toBe('is not mapped: an access there is a fault');
    });
  },
);
