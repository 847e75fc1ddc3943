/** The scenarios that the page plays. */
import type { MachineDescription } from '@viommu/machine';
import {
  DISK_MACHINE,
  type FigureStep,
  memoryDiskParts,
  PASS_THROUGH_MACHINE,
  playDisk,
  playPassThrough,
  type ScenarioTeller,
} from '@viommu/scenarios';
import { fillPattern } from '@viommu/trace';
import type { ScenarioNumber } from './replay-messages.ts';

export interface PlayedScenario {
  readonly title: string;
  readonly machine: MachineDescription;
  /** Where in the figure an access is refused; none without a figure. */
  readonly faultStep?: FigureStep;
  /** The same each time. */
  play(teller: ScenarioTeller): void;
}

const DISK_BYTES = 64 * 1024;
const DISK_SEED = 1;

export const SCENARIOS: Readonly<Record<ScenarioNumber, PlayedScenario>> = {
  1: {
    title:
      'A device of the host is passed through twice: to the guest, and by the guest to a program',
    machine: PASS_THROUGH_MACHINE,
    faultStep: '2b',
    play: (teller) => playPassThrough(teller),
  },
  2: {
    title: 'A virtual disk behind the IOMMU',
    machine: DISK_MACHINE,
    play(teller) {
      const bytes = new Uint8Array(DISK_BYTES);
      fillPattern(DISK_SEED, 0, bytes);
      playDisk(teller, memoryDiskParts(bytes));
    },
  },
};
