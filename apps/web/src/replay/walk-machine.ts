/** Walks through a translation of a machine that is there. */
import { type TranslationWalk, walkTranslation } from '@viommu/inspector';
import type { Machine } from '@viommu/machine';
import type { WalkQuery } from './replay-messages.ts';

/** @returns undefined when there is no such endpoint */
export function walkMachine(
  { iommus, endpoints }: Machine,
  { iommu, endpoint, address, access }: WalkQuery,
): TranslationWalk | undefined {
  const isThere = endpoints.some((one) => one.iommu === iommu && one.endpoint === endpoint);
  return isThere ? walkTranslation(iommus[iommu]!, endpoint, address, access) : undefined;
}
