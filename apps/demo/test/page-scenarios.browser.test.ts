/** The scenarios in the page, in a real browser: what it shows at each moment is what the same scenario does in this process. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Machine } from '@viommu/machine';
import {
  type FigureStep,
  memoryDiskParts,
  playDisk,
  playPassThrough,
  type ScenarioTeller,
} from '@viommu/scenarios';
import type { Page } from 'playwright-core';
import { beforeEach, describe, expect, it } from 'vitest';
import { browserPath, usePage } from './page-setting.ts';
import { MAIN } from './served-guest.ts';

const STEPS = ['1a', '1b', '1c', '2a', '2b'] as const;
const ENGINE = 0x28;
const PAGE = 4096;
const READ = 1;
/** The buffer's pages, its ends, and the registers of the other engine. */
const BUFFER = 0x7f00_0000_0000;
const ADDRESSES = [
  BUFFER,
  BUFFER + PAGE + 0x10,
  BUFFER + 4 * PAGE - 1,
  BUFFER + 4 * PAGE,
  0x1000_0008,
];

const hex = (address: number): string => `0x${address.toString(16)}`;

/** A moment, and where the IOMMU brings the engine's reads then. */
interface Moment {
  readonly step?: FigureStep;
  readonly isRefused?: boolean;
  readonly isRequest?: boolean;
  readonly translations: ReadonlyMap<number, number>;
}

/** Has a moment for all that the page has one for, and the first one before anything happens. */
class Moments implements ScenarioTeller {
  readonly list: Moment[] = [];
  #machine!: Machine;

  begin(machine: Machine): void {
    this.#machine = machine;
    this.#add({});
  }

  chapter(): void {
    this.#add({});
  }

  tell(_who: string, _text: string, step?: FigureStep): void {
    this.#add(step === undefined ? {} : { step });
  }

  readonly observer = {
    request: () => this.#add({ isRequest: true }),
    fault: () => this.#add({ step: '2b', isRefused: true }),
  };

  #add(moment: Omit<Moment, 'translations'>): void {
    const { backend } = this.#machine.iommus[0]!;
    const out = { physical: 0, length: 0, bypass: false };
    const translations = new Map<number, number>();
    for (const address of ADDRESSES) {
      if (backend.translate(ENGINE, address, 1, READ, out) === 0) {
        translations.set(address, out.physical);
      }
    }
    this.list.push({ ...moment, translations });
  }
}

describe.skipIf(browserPath === undefined)('the scenarios in the page', () => {
  const setting = usePage();
  const open = (scenario: 1 | 2, operation: number) =>
    setting.open(`trace=scenario-${scenario}`, operation);
  let page: Page;

  beforeEach(() => {
    ({ page } = setting);
  });

  async function stepOn(to: number): Promise<void> {
    await page.keyboard.press('.');
    await setting.isAt(to);
  }

  async function type(address: number): Promise<void> {
    await page.locator('#address').fill(hex(address));
    await page.locator('#address').press('Enter');
    await page.locator('h1').click();
  }

  const stageEnd = (name: string) => page.locator(`[data-stage=${name}] b`).textContent();

  it('begins with the first one, and lights the steps of its figure as they happen', async () => {
    const moments = new Moments();
    playPassThrough(moments);
    await page.goto(setting.server.url);
    await expect
      .poll(() => page.locator('#operations').textContent(), { timeout: 30_000 })
      .toBe(String(moments.list.length - 1));
    expect(await page.locator('#trace').inputValue()).toBe('scenario-1');
    const lit: string[] = [];
    const happened = new Set<FigureStep>();
    for (const [position, { step, isRefused }] of moments.list.entries()) {
      if (position > 0) await stepOn(position);
      if (step !== undefined) happened.add(step);
      const expected = STEPS.map((one) => {
        if (one === step) return isRefused ? 'refused' : 'now';
        return happened.has(one) ? 'done' : 'ahead';
      });
      for (const what of ['arrow', 'step']) {
        const states = await page
          .locator(`[data-${what}]`)
          .evaluateAll((all) => all.map((one) => one.getAttribute('data-state')));
        expect(states, `${what} at ${position}`).toEqual(expected);
      }
      if (step !== undefined && !lit.includes(step)) lit.push(step);
    }
    expect(lit).toEqual(STEPS);
    const sentence = await page.locator('[data-step="1c"] p').textContent();
    expect(sentence).toContain('of the VMM, host-physical 0x');
  });

  it('walks a typed address through both stages, at each moment to where the IOMMU brings it', async () => {
    const moments = new Moments();
    const { guestPhysical } = playPassThrough(moments);
    await open(1, 0);
    const address = BUFFER + PAGE + 0x10;
    await type(address);
    let translated = 0;
    for (const [position, { translations }] of moments.list.entries()) {
      if (position > 0) await stepOn(position);
      const physical = translations.get(address);
      const host = physical === undefined ? [] : [hex(physical)];
      await expect.poll(() => page.locator('[data-stage=host] b').allTextContents()).toEqual(host);
      expect(await page.locator('output b').allTextContents()).toEqual(host);
      if (physical !== undefined) translated += 1;
    }
    expect(translated).toBeGreaterThan(20);
    await page.locator('#position').fill('16');
    await page.locator('#position').press('Enter');
    await setting.isAt(16);
    for (const one of ADDRESSES) {
      await type(one);
      const physical = moments.list[16]!.translations.get(one);
      const end = physical === undefined ? 'an access there is a fault' : hex(physical);
      await expect.poll(() => page.locator('output').textContent()).toContain(end);
      const index = Math.floor((one - BUFFER) / PAGE);
      if (physical === undefined) continue;
      expect(await stageEnd('guest')).toBe(hex(guestPhysical[index]! + (one % PAGE)));
      expect(await stageEnd('host')).toBe(hex(physical));
    }
    await page.locator('#endpoint').selectOption({ index: 1 });
    await expect
      .poll(() => page.locator('output').textContent())
      .toBe('the endpoint has no domain: it is a fault');
  });

  it('goes by keyboard to where a step first happens, plays, pauses, and goes back', async () => {
    const moments = new Moments();
    playPassThrough(moments);
    const first = moments.list.findIndex(({ step }) => step === '2b');
    await open(1, 0);
    await page.locator('[data-step="2b"] button').focus();
    await page.keyboard.press('Enter');
    await setting.isAt(first);
    await page.keyboard.press(',');
    await setting.isAt(first - 1);
    await page.locator('[data-step="2b"][data-state=ahead]').waitFor();
    await page.locator('h1').click();
    await page.locator('#play').click();
    await expect.poll(setting.position, { timeout: 30_000 }).toBeGreaterThan(first);
    await page.locator('#play').click();
    await expect.poll(() => page.locator('#play').textContent()).toBe('Play');
    await page.keyboard.press('0');
    await setting.isAt(0);
    expect(await page.locator('[data-domain]').count()).toBe(0);
  });

  it.each([
    ['disk', 'scenario-2'],
    ['passthrough', 'scenario-1'],
  ])('is opened by `viommu demo %s --web` at %s', async (story, name) => {
    const command = spawn(process.execPath, [MAIN, 'demo', story, '--web'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      const [printed] = await once(command.stdout, 'data');
      await page.goto(/the page is at (\S+)/.exec(String(printed))![1]!);
      await setting.isAt(0);
      await expect.poll(() => page.locator('#trace').inputValue()).toBe(name);
      const ended = once(command, 'exit');
      command.kill('SIGINT');
      expect(await ended).toEqual([0, null]);
    } finally {
      command.kill('SIGKILL');
    }
  });

  it('plays the second one to its end: a disk whose accesses stage 1 alone translates', async () => {
    const moments = new Moments();
    playDisk(moments, memoryDiskParts(new Uint8Array(64 * 1024)));
    const requests = moments.list.filter(({ isRequest }) => isRequest).length;
    await page.goto(setting.server.url);
    await page.locator('#trace').selectOption('scenario-2');
    await expect
      .poll(() => page.locator('#operations').textContent(), { timeout: 30_000 })
      .toBe(String(moments.list.length - 1));
    await page.getByLabel('Speed').selectOption('fastest');
    await page.locator('#play').click();
    await setting.isAt(moments.list.length - 1);
    expect(await page.locator('#request-count').textContent()).toBe(String(requests));
    expect(await page.getByRole('tab', { name: 'Faults' }).textContent()).toBe('Faults 2');
    expect(await page.locator('[data-arrow]').count()).toBe(0);
    // The driver has not taken anything back yet.
    await page.locator('#position').fill('20');
    await page.locator('#position').press('Enter');
    await setting.isAt(20);
    await page.locator('[data-domain="0:1"]').waitFor();
    await type(0xffff_ffff_f000);
    await expect.poll(() => stageEnd('guest')).toBe('0x40ff7000');
    expect(await page.locator('[data-stage]').count()).toBe(1);
    expect(await page.locator('output').textContent()).toBe(
      "→ reads 0x40ff7000 of the guest's memory",
    );
  });
});
