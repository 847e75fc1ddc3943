/** Bytes per resident mapping, in the core and the backend together: what is on the heap and in array buffers. */
import { IommuMachine, mapPages, unmapPages } from '../contestants/iommu-machine.ts';
import { PAGE } from '../contestants/residents.ts';
import { CHAINS } from '../contestants/ring-memory.ts';
import { createLayout } from './layouts.ts';
import { collectGarbage, type ProbeAnswer } from './probe.ts';

/** Mappings with which the code runs warm, on another device, so that what the compiler allocates is no part of it. */
const WARM_UP = 20_000;
const FRAMES = 0x40_0000_0000;

export async function bytesPerMapping(layoutName: string, count: number): Promise<ProbeAnswer> {
  const layout = createLayout(layoutName, count);
  warmUp();
  const machine = new IommuMachine(CHAINS);
  const before = await bytesInUse();
  mapPages(machine, layout.mapped.length, (index) => layout.mapped[index]!, CHAINS, scatteredFrame);
  unmapPages(machine, layout.unmapped.length, (index) => layout.unmapped[index]!);
  const after = await bytesInUse();
  const { map, unmap } = machine.iommu.device.counters.requests;
  const resident = map.byStatus[0]! - unmap.byStatus[0]!;
  const note = resident === count ? '' : `${layoutName}: ${resident} of ${count} mappings fit`;
  return { value: (after - before) / resident, note };
}

function warmUp(): void {
  const machine = new IommuMachine(CHAINS);
  const addressOf = (index: number) => index * 2 * PAGE;
  mapPages(machine, WARM_UP, addressOf, CHAINS, scatteredFrame);
  unmapPages(machine, WARM_UP, addressOf);
}

/** `external` has the array buffers in it. */
export async function bytesInUse(): Promise<number> {
  await collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Frames that no two neighbours have one after the other. */
function scatteredFrame(virtStart: number): number {
  return FRAMES + (Math.imul(virtStart / PAGE, 0x9e37_79b1) >>> 0) * PAGE;
}
