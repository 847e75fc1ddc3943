/** A translation walked through: each stage with the mapping that did it, or the reason why it ends there. */
import {
  accessVerb,
  type HostWalk,
  hexNumber,
  type TranslationWalk,
  type WatchedMapping,
} from '@viommu/inspector';
import { VIRTIO_IOMMU_MAP_F_READ, VIRTIO_IOMMU_MAP_F_WRITE } from '@viommu/iommu-core';
import type { ComponentChildren, JSX } from 'preact';
import { bytesText } from '../page/numbers.ts';
import type { PageStore } from '../page/page-store.ts';

interface Props {
  readonly walk: TranslationWalk;
}

/** What the page itself knows of a machine that it cannot ask, since it stands still or has ended: stage 1. */
export function knownWalk(store: PageStore): TranslationWalk | undefined {
  const { endpoint: key, chosenAddress, chosenAccess: access, view } = store;
  if (key === undefined || chosenAddress === undefined) return undefined;
  const { address } = chosenAddress;
  const { endpoint, iommu } = key;
  const domain = view.domains.find((one) => one.iommu === iommu && one.endpoints.has(endpoint));
  // Whether such endpoints bypass is not known here.
  if (domain === undefined) return undefined;
  const { bypass } = domain;
  const stage1 = domain.mappings.find(address);
  const isAllowed = stage1 !== undefined && (stage1.flags & access) === access;
  const mapped = isAllowed ? stage1.physStart + (address - stage1.virtStart) : undefined;
  const guestPhysical = bypass ? address : mapped;
  const refused =
    guestPhysical !== undefined
      ? undefined
      : stage1 === undefined
        ? 'nothing is mapped there'
        : 'the mapping there does not allow it';
  const known = { endpoint, address, access, domain: domain.domain, bypass, stage1, guestPhysical };
  return { ...known, stage2: undefined, refused };
}

/** In one sentence. */
export function Verdict({ walk }: Props): JSX.Element {
  const { access, refused, stage1, stage2, guestPhysical } = walk;
  if (refused !== undefined) {
    const isMapped = stage1 !== undefined || walk.domain === undefined;
    return isMapped ? (
      <>{refused}: it is a fault</>
    ) : (
      <>is not mapped: an access there is a fault</>
    );
  }
  const end = stage2 === undefined ? guestPhysical! : stage2.hostPhysical!;
  const whose = stage2 === undefined ? "the guest's memory" : "the host's memory";
  return (
    <>
      → {accessVerb(access)}s <b>{hexNumber(end)}</b> of {whose}
    </>
  );
}

export function WalkStages({ walk }: Props): JSX.Element {
  const { address, domain, bypass, stage1, stage2, guestPhysical } = walk;
  const allowed = stage1 !== undefined && guestPhysical !== undefined;
  return (
    <ol class="walk" aria-label="The translation, stage by stage">
      <Stage name="guest" title="stage 1: the guest" end={guestPhysical} space="guest-physical">
        {bypass && 'nothing is translated: the endpoint bypasses the IOMMU'}
        {!bypass && domain === undefined && 'the endpoint is in no domain'}
        {!bypass && domain !== undefined && stage1 === undefined && (
          <>
            domain {domain} maps nothing at {hexNumber(address)}
          </>
        )}
        {stage1 !== undefined && (
          <>
            domain {domain} maps <MappingText mapping={stage1} />
            {!allowed && ', and no more is allowed there'}
          </>
        )}
      </Stage>
      {stage2 !== undefined && <HostStages walk={walk} host={stage2} />}
    </ol>
  );
}

function HostStages({ walk, host }: Props & { readonly host: HostWalk }): JSX.Element {
  const { slot, userAddress, mapping, hostPhysical } = host;
  return (
    <>
      <Stage name="slot" title="stage 2: the VMM" end={userAddress} space="address in the VMM">
        {slot !== undefined && (
          <>
            its memory slot has guest-physical {hexNumber(slot.start)}–{hexNumber(slot.end)} at{' '}
            {hexNumber(slot.userAddress)}
          </>
        )}
        {slot === undefined &&
          (walk.guestPhysical === undefined ? 'not reached' : 'it has no memory there')}
      </Stage>
      <Stage name="host" title="stage 2: host VFIO" end={hostPhysical} space="host-physical">
        {mapping !== undefined && (
          <>
            the physical IOMMU maps <MappingText mapping={mapping} />
            {walk.guestPhysical === undefined && hostPhysical !== undefined
              ? ", though the guest's request is not answered yet"
              : hostPhysical === undefined && ', and no more is allowed there'}
          </>
        )}
        {mapping === undefined &&
          (walk.guestPhysical === undefined
            ? 'the physical IOMMU maps nothing there either'
            : 'the physical IOMMU maps nothing there')}
      </Stage>
    </>
  );
}

interface StageProps {
  readonly name: string;
  readonly title: string;
  /** What comes of it, and what kind of address that is. */
  readonly end: number | undefined;
  readonly space: string;
  readonly children: ComponentChildren;
}

function Stage({ name, title, end, space, children }: StageProps): JSX.Element {
  return (
    <li data-stage={name} class={end === undefined ? 'ends' : ''}>
      <h3>{title}</h3>
      <p>{children}</p>
      <p class="end">
        {end === undefined ? (
          <span>✗ ends here</span>
        ) : (
          <>
            → <b>{hexNumber(end)}</b> <span class="muted">{space}</span>
          </>
        )}
      </p>
    </li>
  );
}

function MappingText({ mapping }: { readonly mapping: WatchedMapping }): JSX.Element {
  const { virtStart, virtEnd, physStart, flags } = mapping;
  const access = [
    (flags & VIRTIO_IOMMU_MAP_F_READ) !== 0 && 'read',
    (flags & VIRTIO_IOMMU_MAP_F_WRITE) !== 0 && 'write',
  ].filter((one) => one !== false);
  return (
    <>
      {hexNumber(virtStart)}–{hexNumber(virtEnd)} to {hexNumber(physStart)} (
      {bytesText(virtEnd - virtStart + 1)}, for {access.join(' and ') || 'nothing'})
    </>
  );
}
