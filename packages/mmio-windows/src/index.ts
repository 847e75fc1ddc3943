export type { MmioWindowsFunctionOptions, MmioWindowsSnapshot } from './mmio-windows-function.ts';
export { createMmioWindowsFunction, MMIO_WINDOW_SIZE } from './mmio-windows-function.ts';
