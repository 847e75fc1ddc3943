/** The command `translate`: what an access would come to, stage by stage, without making it. */
import {
  TRANSLATION_FAILED,
  TRANSLATION_NO_DOMAIN,
  TRANSLATION_OK,
  type TranslationResult,
} from '@viommu/iommu-core';
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
  const { iommu, endpoint } = place;
  const { device, backend, passThrough } = target.machine.iommus[iommu]!;
  const attachment = device.attachments().find((one) => one.endpoint === endpoint);
  const domain = attachment?.domain ?? null;
  const bypass = domain === null ? device.bypass : attachment!.isBypassDomain;
  const mappings = domain === null ? undefined : device.mappingsOf(domain);
  const out: TranslationResult = { physical: 0, length: 0, bypass: false };
  let guestPhysical: number | null = bypass ? address : null;
  if (!bypass && mappings?.translate(address, 1, bits, out) === TRANSLATION_OK) {
    guestPhysical = out.physical;
  }
  const code = backend.translate(endpoint, address, 1, bits, out);
  const result = { ...place, address, access, domain, bypass, guestPhysical };
  const isPassedThrough = target.description.devices.some(
    (one) => one.kind === 'engine' && one.iommu === iommu && one.endpoint === endpoint,
  );
  if (!isPassedThrough || passThrough === undefined) {
    return { ...result, refused: code === TRANSLATION_OK ? null : refusal(code, isMapped()) };
  }
  const slot = passThrough.slots.slots.find(
    ({ guestStart, length }) =>
      guestPhysical !== null && guestStart <= guestPhysical && guestPhysical < guestStart + length,
  );
  const refusedByHost =
    slot === undefined ? 'the VMM has no memory there' : "the host's tables refuse it";
  return {
    ...result,
    userAddress: slot === undefined ? null : slot.userAddress + guestPhysical! - slot.guestStart,
    hostPhysical: code === TRANSLATION_OK ? out.physical : null,
    refused:
      code === TRANSLATION_OK
        ? null
        : guestPhysical === null
          ? refusal(code, isMapped())
          : refusedByHost,
  };

  /** For whatever access. */
  function isMapped(): boolean {
    return mappings?.translate(address, 1, 0, out) === TRANSLATION_OK;
  }
}

function refusal(code: number, isMapped: boolean): string {
  if (code === TRANSLATION_NO_DOMAIN) return 'the endpoint has no domain';
  if (code === TRANSLATION_FAILED) return 'the backend cannot translate it';
  return isMapped ? 'the mapping there does not allow it' : 'nothing is mapped there';
}
