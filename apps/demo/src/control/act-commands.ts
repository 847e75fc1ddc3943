/** The commands that have a device do something that the guest sees: a fault, DEVICE_NEEDS_RESET. */
import { faultReason } from '@viommu/inspector';
import { TRANSLATION_OK, type TranslationResult } from '@viommu/iommu-core';
import { CommandError } from '../command-error.ts';
import { strayByte } from '../server/stray-access.ts';
import type { FaultResult } from './control-protocol.ts';
import type { ControlledMachine } from './controlled-machine.ts';
import type { JsonReader } from './json-reader.ts';
import { readIommu } from './look-commands.ts';
import { readAccess } from './translate-command.ts';

/** Has the endpoint try one byte where it must not; where it may, nothing is done. */
export function provokeFault(target: ControlledMachine, fields: JsonReader): FaultResult {
  const { place, address, bits } = readAccess(target, fields);
  const { device, backend } = target.machine.iommus[place.iommu]!;
  const out: TranslationResult = { physical: 0, length: 0, bypass: false };
  const code = backend.translate(place.endpoint, address, 1, bits, out);
  if (code === TRANSLATION_OK) {
    throw new CommandError(
      out.bypass
        ? `${place.device} is not translated, so nothing is a fault`
        : `${place.device} may access 0x${address.toString(16)}: choose an address that translate refuses`,
    );
  }
  const before = device.counters.eventsDelivered;
  strayByte(device, place.endpoint, address, bits);
  return {
    device: place.device,
    // A TRANSLATION_* code equals the VIRTIO_IOMMU_FAULT_R_* but for the last, which has none.
    reason: faultReason(code <= 2 ? code : 0),
    delivered: device.counters.eventsDelivered > before,
  };
}

/** DEVICE_NEEDS_RESET and not a reset behind the driver's back: a driver that is told can go on. */
export function requestReset({ machine }: ControlledMachine, fields: JsonReader) {
  const iommu = readIommu(machine, fields) ?? 0;
  fields.end();
  if (!machine.iommus[iommu]!.device.needsReset('it was asked for on the control socket')) {
    throw new CommandError(`no driver of the guest is up on IOMMU ${iommu}`);
  }
  return { iommu };
}
