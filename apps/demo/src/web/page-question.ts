/** Reads what a page says, which is one thing: that it asks for a walk. */
import type { WalkQuery } from '@viommu/inspector';
import { ACCESS_READ, ACCESS_WRITE } from '@viommu/virtqueue';

/** Bytes. */
export const QUESTION_MAX = 128;

/** @returns undefined when it is nothing that a page would say */
export function readQuestion(text: string): WalkQuery | undefined {
  let said: Partial<Record<keyof WalkQuery, unknown>> | null;
  try {
    said = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { iommu, endpoint, address, access } = said ?? {};
  if (!isAddress(iommu) || !isAddress(endpoint) || !isAddress(address)) return undefined;
  if (access !== ACCESS_READ && access !== ACCESS_WRITE) return undefined;
  return { iommu, endpoint, address, access };
}

function isAddress(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
