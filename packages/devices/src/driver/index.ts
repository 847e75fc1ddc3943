export type { BlockDriverOptions } from './block-driver.ts';
export { BlockDriver } from './block-driver.ts';
export type { DmaAllocator, DmaMemory } from './dma-allocator.ts';
export type { DmaEngineDriverOptions, DmaResult } from './dma-engine-driver.ts';
export { DmaEngineDriver } from './dma-engine-driver.ts';
