export type { BlockDriverOptions } from './block-driver.ts';
export { BlockDriver } from './block-driver.ts';
export type { DmaAllocator, DmaMemory } from './dma-allocator.ts';
