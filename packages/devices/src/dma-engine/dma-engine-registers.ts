/** Registers of the DMA engine in BAR 0, and what they hold. Offsets are in bytes, values little-endian. */

/** Vendor and device: of the range that virtio leaves for experiments. */
export const DMA_ENGINE_VENDOR_ID = 0x1af4;
export const DMA_ENGINE_DEVICE_ID = 0x10f0;

export const DMA_ENGINE_BAR = 0;
export const DMA_ENGINE_BAR_SIZE = 4096;
/** MSI-X table and pending bits. */
export const DMA_ENGINE_MSIX_BAR = 1;

/** Reads as the letters `VDMA`. */
export const DMA_ENGINE_ID = 0x00;
export const DMA_ENGINE_ID_VALUE = 0x414d_4456;
/** 0 before the first copy, then DMA_ENGINE_BUSY, _DONE or _ERROR; read-only. */
export const DMA_ENGINE_STATUS = 0x04;
/** 64 bits: where the engine reads from. */
export const DMA_ENGINE_SOURCE = 0x08;
/** 64 bits: where the engine writes to. */
export const DMA_ENGINE_DESTINATION = 0x10;
/** 32 bits: bytes to copy. */
export const DMA_ENGINE_LENGTH = 0x18;
/** Writing DMA_ENGINE_GO starts a copy; reads as 0. */
export const DMA_ENGINE_CONTROL = 0x1c;
/** 64 bits: where the refused access began; read-only. */
export const DMA_ENGINE_ERROR_ADDRESS = 0x20;
/** ACCESS_READ or ACCESS_WRITE: which access was refused; read-only. */
export const DMA_ENGINE_ERROR_ACCESS = 0x28;
/** Where registers end; beyond, everything reads as 0. */
export const DMA_ENGINE_REGISTERS_SIZE = 0x2c;

export const DMA_ENGINE_GO = 1;

export const DMA_ENGINE_BUSY = 1;
export const DMA_ENGINE_DONE = 2;
export const DMA_ENGINE_ERROR = 3;
