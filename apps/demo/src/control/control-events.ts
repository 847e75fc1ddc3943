/** Makes of what an IOMMU does the events that watching clients are told. */
import { accessVerb, faultReason, hexNumber, requestFields, statusName } from '@viommu/inspector';
import type { IommuObserver } from '@viommu/iommu-core';
import type { ControlServer } from './control-server.ts';

/**
 * @param nameOf what a device is called
 * @param server undefined until it listens
 */
export function controlEvents(
  iommu: number,
  nameOf: (endpoint: number) => string,
  server: () => Pick<ControlServer, 'isWatched' | 'tell'> | undefined,
): IommuObserver {
  const tell = (
    event: 'request' | 'attached' | 'detached' | 'fault' | 'reset',
    make: () => { readonly text: string; readonly [field: string]: unknown },
  ) => {
    const target = server();
    if (target?.isWatched === true) target.tell({ event, iommu, ...make() });
  };
  return {
    request: (record) =>
      tell('request', () => {
        const { type, status, usedLength } = record;
        const text = `${requestFields(record)}: ${statusName(status)}`;
        return { type, status, usedLength, text };
      }),
    attached: (endpoint, domain, bypass) =>
      tell('attached', () => {
        const device = nameOf(endpoint);
        const text = `${device} is in domain ${domain}${bypass ? ', which bypasses' : ''}`;
        return { endpoint, device, domain, bypass, text };
      }),
    detached: (endpoint, domain) =>
      tell('detached', () => {
        const device = nameOf(endpoint);
        return { endpoint, device, domain, text: `${device} has left domain ${domain}` };
      }),
    fault: (endpoint, reason, access, address, delivered) =>
      tell('fault', () => {
        const device = nameOf(endpoint);
        const told = delivered ? 'the guest was told' : 'the guest was not told';
        const text = `${device} may not ${accessVerb(access)} at ${hexNumber(address)}: ${faultReason(reason)}; ${told}`;
        return { endpoint, device, reason, access, address, delivered, text };
      }),
    reset: () => tell('reset', () => ({ text: 'the guest has reset the IOMMU' })),
  };
}
