/** Walks through a translation without making an access: nothing is counted, and no fault comes of it. */
import type { Machine, MachineIommu } from '@viommu/machine';
import type { WatchedMapping } from '../watch/inspector-messages.ts';
import type { HostWalk, TranslationWalk, WalkAnswer, WalkQuery } from './translation-walk.ts';

type PassThrough = NonNullable<MachineIommu['passThrough']>;

/**
 * @param endpoint one that is there
 * @param address 0 to 2^53 - 1
 * @param access ACCESS_READ or ACCESS_WRITE
 */
export function walkTranslation(
  { device, passThrough }: Pick<MachineIommu, 'device' | 'passThrough'>,
  endpoint: number,
  address: number,
  access: number,
): TranslationWalk {
  const attachment = device.attachments().find((one) => one.endpoint === endpoint);
  const domain = attachment?.domain;
  const bypass = domain === undefined ? device.bypass : attachment!.isBypassDomain;
  const stage1 = domain === undefined ? undefined : device.mappingsOf(domain)?.find(address);
  const guestPhysical = bypass ? address : translated(stage1, address, access);
  const known = { endpoint, address, access, domain, bypass, stage1, guestPhysical };
  const refusedByGuest =
    guestPhysical !== undefined
      ? undefined
      : domain === undefined
        ? 'the endpoint has no domain'
        : stage1 === undefined
          ? 'nothing is mapped there'
          : 'the mapping there does not allow it';
  if (passThrough?.endpoints.includes(endpoint) !== true) {
    return { ...known, stage2: undefined, refused: refusedByGuest };
  }
  const stage2 = walkHost(passThrough, known);
  const refusedByHost =
    stage2.slot === undefined ? 'the VMM has no memory there' : "the host's tables refuse it";
  const refused = stage2.hostPhysical === undefined ? (refusedByGuest ?? refusedByHost) : undefined;
  return { ...known, stage2, refused };
}

/** The same for somebody who names an endpoint that may not be there. */
export function answerWalk(
  { iommus, endpoints }: Pick<Machine, 'iommus' | 'endpoints'>,
  query: WalkQuery,
): WalkAnswer {
  const { iommu, endpoint, address, access } = query;
  const isThere = endpoints.some((one) => one.iommu === iommu && one.endpoint === endpoint);
  const walk = isThere ? walkTranslation(iommus[iommu]!, endpoint, address, access) : undefined;
  return { query, walk };
}

function walkHost(
  { slots, mappingAt }: PassThrough,
  {
    endpoint,
    address,
    access,
    guestPhysical,
  }: Pick<TranslationWalk, 'endpoint' | 'address' | 'access' | 'guestPhysical'>,
): HostWalk {
  const slot = slots.slots.find(
    ({ guestStart, length }) =>
      guestPhysical !== undefined &&
      guestStart <= guestPhysical &&
      guestPhysical < guestStart + length,
  );
  const mapping = mappingAt(endpoint, address);
  return {
    slot: slot && {
      start: slot.guestStart,
      end: slot.guestStart + slot.length - 1,
      userAddress: slot.userAddress,
    },
    userAddress: slot && slot.userAddress + (guestPhysical! - slot.guestStart),
    mapping,
    hostPhysical: translated(mapping, address, access),
  };
}

function translated(
  mapping: WatchedMapping | undefined,
  address: number,
  access: number,
): number | undefined {
  if (mapping === undefined || (mapping.flags & access) !== access) return undefined;
  return mapping.physStart + (address - mapping.virtStart);
}
