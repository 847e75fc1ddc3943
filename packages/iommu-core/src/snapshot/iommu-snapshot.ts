/** The IOMMU's part of a snapshot: domains, who is in them, and their mappings; brought back by the requests that made them. */
import { silentLogger } from '@viommu/virtqueue';
import {
  type RestoredDriver,
  type SnapshotReader,
  snapshotRefused,
} from '@viommu/virtqueue/snapshot';
import { GuardedBackend } from '../guarded-backend.ts';
import { DEVICE_FEATURES_MASK, VIRTIO_IOMMU_S_OK } from '../protocol/constants.ts';
import { attach } from '../requests/attach.ts';
import { map } from '../requests/map.ts';
import { type Domain, Endpoint } from '../state/domain.ts';
import { IommuState } from '../state/iommu-state.ts';
import { checkingBackend } from './checking-backend.ts';
import { RequestBytes } from './request-bytes.ts';

const SNAPSHOT_VERSION = 1;
const UINT32_MAX = 0xffff_ffff;
const MAPPING_FIELDS = 4;

/** Without counters: they count what one device object did. */
export interface IommuSnapshot {
  readonly version: 1;
  /** The field of the configuration. */
  readonly bypass: boolean;
  /** All that the device has. */
  readonly endpoints: readonly EndpointSnapshot[];
  readonly domains: readonly DomainSnapshot[];
}

export interface EndpointSnapshot {
  readonly id: number;
  /** See Endpoint: what is told of it once for each driver. */
  readonly attachedSinceDriverUp: boolean;
  readonly bypassWarned: boolean;
}

export interface DomainSnapshot {
  readonly id: number;
  readonly bypass: boolean;
  /** IDs of those that are attached, one at least. */
  readonly endpoints: readonly number[];
  /** `virtStart`, `virtEnd`, `physStart` and flags of each mapping, one after the other. */
  readonly mappings: readonly number[];
}

export function takeSnapshot(state: IommuState): IommuSnapshot {
  const endpoints = [...state.endpoints.values()];
  const domains = new Set<Domain>();
  for (const { domain } of endpoints) if (domain !== undefined) domains.add(domain);
  return {
    version: SNAPSHOT_VERSION,
    bypass: state.bypass,
    endpoints: endpoints.map(({ id, attachedSinceDriverUp, bypassWarned }) => ({
      id,
      attachedSinceDriverUp,
      bypassWarned,
    })),
    domains: [...domains].map(snapshotOf),
  };
}

function snapshotOf({ id, bypass, endpoints, mappings }: Domain): DomainSnapshot {
  const fields: number[] = [];
  mappings.visit(0, Number.MAX_SAFE_INTEGER, (...mapping) => fields.push(...mapping));
  return { id, bypass, endpoints: [...endpoints].map((endpoint) => endpoint.id), mappings: fields };
}

/**
 * Carries the requests out on a state that nobody uses, so that they meet every check that those of a driver do.
 *
 * @returns what carries them out on `state`; it throws VirtioError `SNAPSHOT_REFUSED` when the backend does not take one
 * @throws VirtioError `SNAPSHOT`
 */
export function prepareSnapshot(
  state: IommuState,
  snapshot: SnapshotReader,
  driver: RestoredDriver,
): () => void {
  snapshot.version(SNAPSHOT_VERSION);
  const bypass = snapshot.field('bypass').boolean();
  const endpoints = readEndpoints(snapshot.field('endpoints'), state);
  const reader = snapshot.field('domains');
  const domains = reader.items(endpoints.length).map(readDomain);
  if (!driver.isUp && domains.length > 0) reader.refuse('are there without a driver');
  replay(domains, checkingState(state, driver.features), (problem) => reader.refuse(problem));
  return () => {
    state.setBypass(bypass);
    replay(domains, state, (problem) => {
      throw snapshotRefused(`domains ${problem}`);
    });
    for (const { id, attachedSinceDriverUp, bypassWarned } of endpoints) {
      Object.assign(state.endpoints.get(id)!, { attachedSinceDriverUp, bypassWarned });
    }
  };
}

function readEndpoints(snapshot: SnapshotReader, state: IommuState): readonly EndpointSnapshot[] {
  const endpoints = snapshot.items(state.endpoints.size).map((item) => ({
    id: item.field('id').integer(0, UINT32_MAX),
    attachedSinceDriverUp: item.field('attachedSinceDriverUp').boolean(),
    bypassWarned: item.field('bypassWarned').boolean(),
  }));
  const known = new Set(endpoints.map(({ id }) => id).filter((id) => state.endpoints.has(id)));
  if (known.size !== state.endpoints.size) {
    snapshot.refuse('are not those that this device has: add and remove endpoints before');
  }
  return endpoints;
}

function readDomain(snapshot: SnapshotReader): DomainSnapshot {
  const id = snapshot.field('id').integer(0, UINT32_MAX);
  const bypass = snapshot.field('bypass').boolean();
  const endpoints = snapshot.field('endpoints').integers(UINT32_MAX);
  if (endpoints.length === 0) snapshot.refuse('has no endpoint');
  const reader = snapshot.field('mappings');
  const mappings = reader.integers(UINT32_MAX);
  const isFlags = (_: number, index: number) => index % MAPPING_FIELDS === MAPPING_FIELDS - 1;
  if (mappings.length % MAPPING_FIELDS !== 0) reader.refuse('end within a mapping');
  if (mappings.filter(isFlags).some((flags) => flags > UINT32_MAX)) {
    reader.refuse('have flags of more than 32 bits');
  }
  return { id, bypass, endpoints, mappings };
}

function replay(
  domains: readonly DomainSnapshot[],
  state: IommuState,
  refuse: (problem: string) => never,
): void {
  const requests = new RequestBytes();
  for (const { id, bypass, endpoints, mappings } of domains) {
    if (state.findDomain(id) !== undefined) refuse(`have domain ${id} twice`);
    for (const endpoint of endpoints) {
      if (state.endpoints.get(endpoint)?.domain !== undefined) {
        refuse(`have endpoint ${endpoint} twice`);
      }
      const status = attach(state, requests.attach(id, endpoint, bypass));
      if (status !== VIRTIO_IOMMU_S_OK) {
        refuse(`have an endpoint ${endpoint} that cannot be in domain ${id} (status ${status})`);
      }
    }
    for (let index = 0; index < mappings.length; index += MAPPING_FIELDS) {
      const status = map(state, requests.map(id, mappings, index));
      if (status !== VIRTIO_IOMMU_S_OK) {
        refuse(
          `have a mapping of ${mappings[index]} in domain ${id} that cannot be (status ${status})`,
        );
      }
    }
  }
}

function checkingState({ limits, endpoints }: IommuState, features: bigint): IommuState {
  const state = new IommuState(
    limits,
    new GuardedBackend(checkingBackend, silentLogger),
    false,
    undefined,
  );
  state.driverFeatures = Number(features & DEVICE_FEATURES_MASK);
  for (const { id, reserved, properties } of endpoints.values()) {
    state.addEndpoint(new Endpoint(id, reserved, properties));
  }
  return state;
}
