/** Steps of a device that is passed through, in words. */
import { accessVerb, faultReason } from '../requests/fault-text.ts';
import { hexNumber } from '../requests/request-text.ts';
import type { PassThroughStep } from '../watch/pass-through-step.ts';

/** Which step of the figure of a device that is passed through twice each is. */
export const FIGURE_STEPS = {
  guestMapped: '1b',
  hostMapped: '1c',
  engineStarted: '2a',
  engineAccess: '2b',
  engineRefused: '2b',
} as const satisfies Readonly<Record<PassThroughStep['type'], string>>;

export function passThroughText(step: PassThroughStep): string {
  switch (step.type) {
    case 'guestMapped':
      return `MAP: IOVA ${range(step.virtStart, step.virtEnd)} of domain ${step.domain} is guest-physical ${hexNumber(step.physStart)}`;
    case 'hostMapped':
      return `IOVA ${range(step.iova, step.iovaEnd)} is user address ${hexNumber(step.userAddress)} of the VMM, host-physical ${hexNumber(step.hostPhysical)}`;
    case 'engineStarted':
      return `is told to copy ${step.length} bytes from ${hexNumber(step.source)} to ${hexNumber(step.destination)}`;
    case 'engineAccess':
      return `${accessVerb(step.access)}s ${step.length} bytes at ${hexNumber(step.address)}, which is host-physical ${hexNumber(step.hostPhysical)}`;
    case 'engineRefused':
      return `may not ${accessVerb(step.access)} at ${hexNumber(step.address)}: ${faultReason(step.reason)}`;
  }
}

function range(start: number, end: number): string {
  return `${hexNumber(start)}..${hexNumber(end)}`;
}
