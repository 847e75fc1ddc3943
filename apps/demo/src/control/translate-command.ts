/** The command `translate`: what an access would come to, stage by stage, without making it. */
import { walkTranslation } from '@viommu/inspector';
import { ACCESS_READ, ACCESS_WRITE } from '@viommu/virtqueue';
import type { TranslateResult } from './control-protocol.ts';
import type { ControlledMachine } from './controlled-machine.ts';
import { type EndpointPlace, findEndpoint } from './find-endpoint.ts';
import type { JsonReader } from './json-reader.ts';
import { readIommu } from './look-commands.ts';

export interface Access {
  readonly place: EndpointPlace;
  readonly address: number;
  readonly access: 'read' | 'write';
  /** ACCESS_READ or ACCESS_WRITE. */
  readonly bits: number;
}

export function readAccess({ machine }: ControlledMachine, fields: JsonReader): Access {
  const text = fields.text('endpoint');
  const place = findEndpoint(machine.endpoints, text, readIommu(machine, fields));
  const address = fields.integer('address', 0, Number.MAX_SAFE_INTEGER);
  const access =
    fields.optional('access', () => fields.choice('access', ['read', 'write'])) ?? 'read';
  fields.end();
  return { place, address, access, bits: access === 'write' ? ACCESS_WRITE : ACCESS_READ };
}

/** Asks the tables alone: nothing is counted, and no fault comes of it. */
export function translate(target: ControlledMachine, fields: JsonReader): TranslateResult {
  const { place, address, access, bits } = readAccess(target, fields);
  const iommu = target.machine.iommus[place.iommu]!;
  const walk = walkTranslation(iommu, place.endpoint, address, bits);
  const { bypass, stage2 } = walk;
  return {
    ...place,
    address,
    access,
    domain: walk.domain ?? null,
    bypass,
    guestPhysical: walk.guestPhysical ?? null,
    ...(stage2 === undefined
      ? {}
      : {
          userAddress: stage2.userAddress ?? null,
          hostPhysical: stage2.hostPhysical ?? null,
        }),
    refused: walk.refused ?? null,
  };
}
