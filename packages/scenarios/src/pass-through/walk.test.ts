/** A translation that is walked through comes to where the backend comes, for any address, at any moment. */
import { type TranslationWalk, walkTranslation } from '@viommu/inspector';
import {
  TRANSLATION_NO_DOMAIN,
  TRANSLATION_OK,
  VIRTIO_IOMMU_MAP_F_READ,
  VIRTIO_IOMMU_MAP_F_WRITE,
} from '@viommu/iommu-core';
import { AddressAllocator, IommuDriver, IommuRequestError } from '@viommu/iommu-driver';
import { createMachine, type MachineIommu, pciEndpoint } from '@viommu/machine';
import { ArrayGuestMemory } from '@viommu/virtqueue';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { InProcessBus } from '../bus/in-process-bus.ts';
import { PCI_TRANSPORT } from '../bus/in-process-transport.ts';
import { NotingTeller } from '../fixtures/noting-teller.ts';
import { NO_PARTS } from '../no-parts.ts';
import { playPassThrough } from './pass-through-scenario.ts';

const PAGE = 4096;
const ENGINE = 0x28;
const VIRTUAL = 0x30;
const RAM = { base: 0x4000_0000, length: 1 << 20 };
const ACCESSES = [VIRTIO_IOMMU_MAP_F_READ, VIRTIO_IOMMU_MAP_F_WRITE];

/** @returns the walk, which was compared */
function compare(iommu: MachineIommu, endpoint: number, address: number, access: number) {
  const walk = walkTranslation(iommu, endpoint, address, access);
  const out = { physical: 0, length: 0, bypass: false };
  const code = iommu.backend.translate(endpoint, address, 1, access, out);
  const { stage1, stage2, guestPhysical, refused } = walk;
  expect(refused === undefined).toBe(code === TRANSLATION_OK);
  if (code === TRANSLATION_NO_DOMAIN) expect(refused).toBe('the endpoint has no domain');
  if (code === TRANSLATION_OK) {
    expect(stage2 === undefined ? guestPhysical : stage2.hostPhysical).toBe(out.physical);
  }
  if (stage1 !== undefined && guestPhysical !== undefined) {
    expect(guestPhysical - address).toBe(stage1.physStart - stage1.virtStart);
  }
  if (stage2?.slot !== undefined && stage2.hostPhysical !== undefined) {
    // What the VMM's address is to the host is not asked of the physical IOMMU.
    const run = { physical: 0, length: 0 };
    expect(iommu.passThrough!.host.pin(stage2.userAddress!, 1, 0, run)).toBe(true);
    expect(stage2.hostPhysical).toBe(run.physical);
  }
  return walk;
}

it('at every moment of the pass-through, around all that is mapped', () => {
  const ended: Record<string, number> = {};
  let compared = 0;
  const count = ({ stage2, refused }: TranslationWalk): void => {
    const end = refused ?? (stage2?.slot === undefined ? 'half of it' : 'both stages');
    ended[end] = (ended[end] ?? 0) + 1;
    compared += 1;
  };
  class Walking extends NotingTeller {
    override chapter(title: string): void {
      super.chapter(title);
      this.#walk();
    }
    override tell(...words: Parameters<NotingTeller['tell']>): void {
      super.tell(...words);
      this.#walk();
    }
    #walk(): void {
      const iommu = this.machine?.iommus[0];
      if (iommu === undefined) return;
      for (const start of [0x7f00_0000_0000, 0x1000_0000, 0x4000_0000, 0]) {
        for (const offset of [0, 1, PAGE - 1, PAGE, 3 * PAGE + 8, 4 * PAGE - 1, 4 * PAGE]) {
          for (const access of ACCESSES) {
            for (const endpoint of [ENGINE, VIRTUAL]) {
              count(compare(iommu, endpoint, start + offset, access));
            }
          }
        }
      }
    }
  }
  playPassThrough(new Walking());
  expect(compared).toBeGreaterThan(1000);
  expect(ended['both stages']).toBeGreaterThan(100);
  expect(ended['nothing is mapped there']).toBeGreaterThan(100);
  // The host has mapped it, and the MAP request is not answered yet.
  expect(ended['half of it']).toBeGreaterThan(0);
});

type Step =
  | { readonly map: readonly [page: number, pages: number, target: number, flags: number] }
  | { readonly unmap: readonly [page: number, pages: number] }
  | { readonly attach: number }
  | { readonly detach: number }
  | { readonly bypass: boolean };

/** A MAP that the host would refuse, if the engine were in the domain already. */
const BEYOND_MEMORY: Step[] = [{ detach: ENGINE }, { map: [2, 4, 254, 3] }, { attach: ENGINE }];

it('whatever is mapped, attached, and let by', () => {
  const page = fc.nat(15);
  const pages = fc.integer({ min: 1, max: 4 });
  const endpoint = fc.constantFrom(ENGINE, VIRTUAL);
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 6, arbitrary: fc.record({ map: fc.tuple(page, pages, fc.nat(260), fc.nat(3)) }) },
    { weight: 2, arbitrary: fc.record({ unmap: fc.tuple(page, pages) }) },
    { weight: 1, arbitrary: fc.record({ attach: endpoint }) },
    { weight: 1, arbitrary: fc.record({ detach: endpoint }) },
    { weight: 1, arbitrary: fc.record({ bypass: fc.boolean() }) },
  );
  const reasons = new Set<string | undefined>();
  fc.assert(
    fc.property(fc.array(step, { maxLength: 15 }), (steps) => {
      const { iommu, carryOut, close } = machine();
      for (const one of [{ attach: ENGINE }, { attach: VIRTUAL }, ...steps]) {
        carryOut(one);
        for (let at = 0; at < 20 * PAGE; at += PAGE / 2) {
          for (const id of [ENGINE, VIRTUAL]) {
            for (const access of ACCESSES) reasons.add(compare(iommu, id, at, access).refused);
            compare(iommu, id, RAM.base + at, VIRTIO_IOMMU_MAP_F_READ);
          }
        }
      }
      close();
    }),
    { numRuns: 40, examples: [[BEYOND_MEMORY], [[{ map: [0, 1, 0, 1] }]]] },
  );
  expect([...reasons].sort()).toEqual([
    'nothing is mapped there',
    'the VMM has no memory there',
    'the endpoint has no domain',
    'the mapping there does not allow it',
    undefined,
  ]);
});

/** An IOMMU with an engine that is passed through and a virtual device, and its driver. */
function machine() {
  const made = createMachine(
    {
      iommus: [{ place: { bus: 'pci', bdf: 0x20 }, bootBypass: false }],
      devices: [
        { kind: 'engine', ...pciEndpoint(ENGINE) },
        { kind: 'rng', ...pciEndpoint(VIRTUAL) },
      ],
      msiWindows: [],
    },
    { parts: NO_PARTS, hostFrameSize: PAGE },
  );
  const functions = made.functions.map((one) => one.function);
  const memory = new ArrayGuestMemory([{ base: RAM.base, buffer: new ArrayBuffer(RAM.length) }]);
  const bus = new InProcessBus(functions, memory, PCI_TRANSPORT);
  const driver = new IommuDriver({
    transport: bus.transportOf(functions[0]!),
    memory,
    pages: new AddressAllocator(RAM.base, RAM.base + RAM.length - 1, PAGE),
    wait: bus.wait,
  });
  const request = (one: Step): void => {
    if ('attach' in one) driver.attach(1, one.attach);
    else if ('detach' in one) driver.detach(1, one.detach);
    else if ('bypass' in one) driver.setBypass(one.bypass);
    else if ('map' in one) {
      const [page, pages, target, flags] = one.map;
      const start = page * PAGE;
      driver.map(1, start, start + pages * PAGE - 1, RAM.base + target * PAGE, flags);
    } else {
      const [page, pages] = one.unmap;
      driver.unmap(1, page * PAGE, (page + pages) * PAGE - 1);
    }
  };
  return {
    iommu: made.iommus[0]!,
    carryOut(one: Step): void {
      try {
        request(one);
      } catch (error) {
        if (!(error instanceof IommuRequestError)) throw error;
      }
    },
    close(): void {
      bus.close();
      made.close();
    },
  };
}
