/** What the commands of the control socket look at and act on. Types and docs only. */
import type { Machine, MachineDescription } from '@viommu/machine';
import type { RuleSet } from '../inject/rule-set.ts';

export interface ControlledMachine {
  readonly machine: Pick<Machine, 'iommus' | 'endpoints'>;
  readonly description: Pick<MachineDescription, 'devices'>;
  readonly rules: RuleSet;
  /** What devices see is recorded: then nothing may be done to them that is not in the trace. */
  readonly isRecorded: boolean;
}
