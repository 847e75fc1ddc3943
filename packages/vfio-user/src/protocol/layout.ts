/** Where the fields of a message are, in bytes from its start ("Header" and the tables of the commands). */

export const HEADER_SIZE = 16;
export const HEADER_ID = 0;
export const HEADER_COMMAND = 2;
export const HEADER_MESSAGE_SIZE = 4;
export const HEADER_FLAGS = 8;
export const HEADER_ERROR = 12;

export const VERSION_MAJOR = 16;
export const VERSION_MINOR = 18;
export const VERSION_DATA = 20;

export const DMA_MAP_SIZE = 48;
export const DMA_MAP_FLAGS = 20;
export const DMA_MAP_OFFSET = 24;
export const DMA_MAP_ADDRESS = 32;
export const DMA_MAP_LENGTH = 40;

export const DMA_UNMAP_SIZE = 40;
export const DMA_UNMAP_FLAGS = 20;
export const DMA_UNMAP_ADDRESS = 24;
export const DMA_UNMAP_LENGTH = 32;

/** `argsz` of the three information commands and `index` of the latter two. */
export const INFO_ARGSZ = 16;
export const INFO_FLAGS = 20;
export const INFO_INDEX = 24;

export const DEVICE_INFO_SIZE = 32;
export const DEVICE_INFO_NUM_REGIONS = 24;
export const DEVICE_INFO_NUM_IRQS = 28;

export const REGION_INFO_SIZE = 48;
export const REGION_INFO_CAP_OFFSET = 28;
export const REGION_INFO_LENGTH = 32;
export const REGION_INFO_OFFSET = 40;

export const IRQ_INFO_SIZE = 32;
export const IRQ_INFO_COUNT = 28;

export const SET_IRQS_SIZE = 36;
export const SET_IRQS_FLAGS = 20;
export const SET_IRQS_INDEX = 24;
export const SET_IRQS_START = 28;
export const SET_IRQS_COUNT = 32;
export const SET_IRQS_DATA = 36;

export const REGION_ACCESS_SIZE = 32;
export const REGION_ACCESS_OFFSET = 16;
export const REGION_ACCESS_REGION = 24;
export const REGION_ACCESS_COUNT = 28;
export const REGION_ACCESS_DATA = 32;

export const WRITE_MULTI_COUNT = 16;
export const WRITE_MULTI_ENTRIES = 24;
export const WRITE_MULTI_ENTRY_SIZE = 24;
/** From the start of an entry, whose first fields are those of a region access. */
export const WRITE_MULTI_ENTRY_DATA = 16;
export const WRITE_MULTI_ENTRY_MAX_DATA = 8;

export const DMA_ACCESS_SIZE = 32;
export const DMA_ACCESS_ADDRESS = 16;
export const DMA_ACCESS_COUNT = 24;
export const DMA_ACCESS_DATA = 32;

const TWO_TO_THE_32 = 0x1_0000_0000;

/** A little-endian 64-bit field, saturated to 2^53 - 1: no address, size or offset that we accept is larger. */
export function readUint64(view: DataView, at: number): number {
  const value = view.getUint32(at + 4, true) * TWO_TO_THE_32 + view.getUint32(at, true);
  return Math.min(value, Number.MAX_SAFE_INTEGER);
}

export function writeUint64(view: DataView, at: number, value: number): void {
  view.setUint32(at, value % TWO_TO_THE_32, true);
  view.setUint32(at + 4, Math.floor(value / TWO_TO_THE_32), true);
}
