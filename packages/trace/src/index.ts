export type {
  DiskContent,
  TracedDisk,
  TracedFunction,
  TracedNetwork,
  TraceEffect,
  TraceHeader,
  TraceOperation,
  TraceStep,
} from './format/trace-events.ts';
export { TraceReader } from './format/trace-reader.ts';
export { crc32 } from './memory/crc32.ts';
export { fillPattern } from './memory/pattern.ts';
export type { TraceRecorderOptions } from './record/trace-recorder.ts';
export { TraceRecorder } from './record/trace-recorder.ts';
export { ReplayMachine } from './replay/replay-machine.ts';
export { TraceDivergence } from './replay/trace-divergence.ts';
export type { TraceReplayOptions } from './replay/trace-replay.ts';
export { TraceReplay } from './replay/trace-replay.ts';
export { TraceError } from './trace-error.ts';
