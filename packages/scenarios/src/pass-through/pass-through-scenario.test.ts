/** The pass-through is told with every step of the figure in its order, and with the addresses of the run. */
import { describe, expect, it } from 'vitest';
import { MMIO_TRANSPORT, PCI_TRANSPORT } from '../bus/in-process-transport.ts';
import { NotingTeller } from '../fixtures/noting-teller.ts';
import { playPassThrough } from './pass-through-scenario.ts';

describe.each([
  ['PCI', PCI_TRANSPORT],
  ['MMIO', MMIO_TRANSPORT],
])('with the IOMMU on %s', (_name, transport) => {
  function play() {
    const teller = new NotingTeller();
    return { teller, summary: playPassThrough(teller, transport) };
  }

  it('goes from virtual to guest-physical to host-physical addresses, which are all different', () => {
    const { summary } = play();
    const { virtualAddress, guestPhysical, hostPhysical } = summary;
    expect(guestPhysical).toHaveLength(4);
    expect(hostPhysical).toHaveLength(4);
    expect(new Set([virtualAddress, ...guestPhysical, ...hostPhysical]).size).toBe(9);
    for (let page = 1; page < 4; page++) {
      expect(hostPhysical[page]).not.toBe(hostPhysical[page - 1]! + 4096);
    }
  });

  it('goes through the steps of the figure: mapped, told to copy, copied, refused, peer to peer, refused', () => {
    const { teller } = play();
    const steps = ['1a', '1b', '1c', '2a', '2b', '2a', '1c', '2a', '2b', '2a'];
    expect(teller.steps).toEqual(steps);
    expect(teller.machine?.iommus).toHaveLength(1);
    expect(teller.chapters).toHaveLength(7);
  });

  it('has two faults, and one interrupt per copy beside those of the IOMMU', () => {
    const { summary, teller } = play();
    expect(summary.faults).toBe(2);
    expect(teller.faults).toBe(2);
    expect(teller.statuses).toEqual(teller.statuses.map(() => 0));
    expect(teller.told.filter(({ step }) => step === '2a')).toHaveLength(4);
    expect(summary.interrupts).toBeGreaterThanOrEqual(4);
  });

  it('is the same each time', () => {
    const [first, second] = [play(), play()];
    expect(second.teller.told).toEqual(first.teller.told);
    expect(second.summary).toEqual(first.summary);
  });
});
