/** Finds the endpoint that somebody means: by the PCI address of its device, or by its ID. */
import { CommandError } from '../command-error.ts';

export interface EndpointPlace {
  readonly iommu: number;
  readonly endpoint: number;
  /** Where its registers are, such as `00:05.0`. */
  readonly device: string;
}

/**
 * @param text `00:05.0`, `0x28` or `40`
 * @param iommu when the number alone is not enough
 * @throws {CommandError} when there is none, or more than one
 */
export function findEndpoint(
  endpoints: readonly EndpointPlace[],
  text: string,
  iommu?: number,
): EndpointPlace {
  const id = /^(0x[0-9a-f]{1,8}|\d{1,10})$/i.test(text) ? Number(text) : undefined;
  const found = endpoints.filter(
    (one) =>
      (one.device === text || one.endpoint === id) && (iommu === undefined || one.iommu === iommu),
  );
  if (found.length === 1) return found[0]!;
  if (found.length > 1) {
    throw new CommandError(
      `endpoint ${text} is behind IOMMU ${found.map((one) => one.iommu).join(' and ')}: say which`,
    );
  }
  const names = endpoints.map(({ device }) => device).join(', ');
  throw new CommandError(
    `there is no endpoint ${text.slice(0, 40)}; there ${endpoints.length === 1 ? 'is' : 'are'} ${names || 'none'}`,
  );
}
