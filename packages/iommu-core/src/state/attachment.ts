/** Who is in which domain, for whoever looks at a device from outside. */
import type { IommuState } from './iommu-state.ts';

export interface Attachment {
  readonly endpoint: number;
  /** Undefined while it is in none. */
  readonly domain: number | undefined;
  /** Whether that is a bypass domain. */
  readonly isBypassDomain: boolean;
}

export function attachmentsOf({ endpoints }: IommuState): Attachment[] {
  return [...endpoints.values()].map(({ id, domain }) => ({
    endpoint: id,
    domain: domain?.id,
    isBypassDomain: domain?.bypass === true,
  }));
}
