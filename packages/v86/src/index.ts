/** PCI functions on the bus of v86. */
export { HEADLESS_OPTIONS } from './headless-options.ts';
export { compileInSmallPieces } from './small-compilation.ts';
export { V86Bus } from './v86-bus.ts';
export { V86Error, type V86ErrorCode } from './v86-error.ts';
export { V86_VERSION, type V86Emulator } from './v86-internals.ts';
