/** Operations and effects of a trace, in words. */
import type { TraceEffect, TraceHeader, TraceOperation } from '@viommu/trace';
import type { RegisterNames } from '../registers/register-names.ts';
import { hexNumber } from '../requests/request-text.ts';

/** Bytes of an effect that are shown. */
const BYTES_SHOWN = 32;

/** By function of the trace. */
export type StepNames = readonly { readonly name: string; readonly registers: RegisterNames }[];

/** Whose operation it is: the name of a function, or of a network. */
export function operationActor(operation: TraceOperation, names: StepNames): string {
  if (operation.kind === 'end') return '';
  if (operation.kind === 'networkReady') return `network ${operation.network}`;
  return names[operation.function]?.name ?? `function ${operation.function}`;
}

/** What is done to it. */
export function operationText(operation: TraceOperation, names: StepNames): string {
  switch (operation.kind) {
    case 'connect':
      return 'is plugged in';
    case 'disconnect':
      return 'is unplugged';
    case 'reset':
      return 'is reset';
    case 'regions':
      return `has ${operation.regions.length} regions of memory: ${operation.regions
        .map(({ start, end }) => `${hexNumber(start)}..${hexNumber(end)}`)
        .join(', ')}`;
    case 'memoryChanged':
      return 'is told that its memory has changed';
    case 'readConfig':
      return `read  ${configName(operation, names)}: ${valueText(operation)}`;
    case 'writeConfig':
      return `write ${configName(operation, names)}: ${valueText(operation)}`;
    case 'readBar':
      return `read  ${barName(operation, names)}: ${valueText(operation)}`;
    case 'writeBar':
      return `write ${barName(operation, names)}: ${valueText(operation)}`;
    case 'service':
      return 'works';
    case 'networkReady':
      return 'has news';
    case 'end':
      return 'the recording ends';
  }
}

/** What comes of it. */
export function effectText(effect: TraceEffect, { disks }: Pick<TraceHeader, 'disks'>): string {
  switch (effect.kind) {
    case 'dmaRead':
      return `reads ${rangeText(effect.address, effect.bytes.length)}: ${bytesText(effect.bytes)}`;
    case 'dmaReadAgain':
      return `reads ${rangeText(effect.address, effect.length)} as before`;
    case 'dmaReadDenied':
      return `cannot read ${rangeText(effect.address, effect.length)}: there is no such memory`;
    case 'dmaWrite':
      return `writes ${rangeText(effect.address, effect.bytes.length)}: ${bytesText(effect.bytes)}`;
    case 'dmaWriteSummed':
      return `writes ${rangeText(effect.address, effect.length)}, CRC-32 ${hexNumber(effect.sum)}`;
    case 'dmaWriteDenied':
      return `cannot write ${rangeText(effect.address, effect.length)}: there is no such memory`;
    case 'intx':
      return effect.asserted ? 'asserts INTx' : 'takes INTx back';
    case 'msix':
      return `interrupts by MSI-X vector ${effect.vector}`;
    case 'diskRead':
      return `disk ${effect.disk}: read ${diskText(effect.address, effect.bytes.length, disks[effect.disk]?.size)}`;
    case 'diskReadAgain':
      return `disk ${effect.disk}: read ${diskText(effect.address, effect.length, disks[effect.disk]?.size)}`;
    case 'diskWrite':
      return `disk ${effect.disk}: written ${diskText(effect.address, effect.length, disks[effect.disk]?.size)}`;
    case 'diskFlush':
      return `disk ${effect.disk}: flushed`;
    case 'diskFailed':
      return `disk ${effect.disk}: failed: ${effect.message}`;
    case 'random':
      return `takes ${effect.bytes.length} random bytes`;
    case 'networkState':
      return `network ${effect.network}: link ${effect.linkUp ? 'up' : 'down'}, ${effect.canSend ? 'can' : 'cannot'} send`;
    case 'networkTells':
      return `network ${effect.network}: tells its device`;
    case 'networkReceive':
      return `network ${effect.network}: a frame of ${effect.bytes.length} bytes came`;
    case 'networkNothing':
      return `network ${effect.network}: no frame is there`;
    case 'networkSend':
      return `network ${effect.network}: a frame of ${effect.bytes.length} bytes goes`;
    case 'networkFlush':
      return `network ${effect.network}: sends`;
    case 'served':
      return effect.workLeft ? 'is not done yet' : 'is done';
  }
}

type Access = Extract<TraceOperation, { value: number }>;
type BarAccess = Extract<TraceOperation, { bar: number }>;

function configName(access: Access, names: StepNames): string {
  const { offset } = access;
  return names[access.function]?.registers.config(offset) ?? `offset ${hexNumber(offset)}`;
}

function barName({ function: index, bar, offset }: BarAccess, names: StepNames): string {
  return names[index]?.registers.bar(bar, offset) ?? `BAR ${bar} offset ${hexNumber(offset)}`;
}

function valueText({ value, width }: Access): string {
  return `0x${value.toString(16).padStart(2 * width, '0')}`;
}

function rangeText(address: number, length: number): string {
  return `${length} bytes at ${hexNumber(address)}`;
}

/** @param size of the disk in bytes, if it is known */
function diskText(position: number, length: number, size: number | undefined): string {
  const part = size === undefined ? '' : ` of ${size}`;
  return `${length} bytes at ${position}${part}`;
}

function bytesText(bytes: Uint8Array): string {
  const shown = Array.from(bytes.subarray(0, BYTES_SHOWN), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join(' ');
  return bytes.length > BYTES_SHOWN ? `${shown} …` : shown;
}
