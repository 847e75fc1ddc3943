/** All works that our contestant knows, by name. */
import {
  createCandidatePairWork,
  createCandidateTranslateWork,
} from '../rejected/candidate-work.ts';
import { createEndpointsWork } from './endpoints.ts';
import { createGuestMemoryWork } from './guest-memory.ts';
import { createNestedMapWork } from './nested.ts';
import { createPairWork } from './pair.ts';
import { createQueueSizeWork } from './queue-size.ts';
import { createRequestWork } from './request.ts';
import { createRingWork } from './ring.ts';
import { createTranslateWork } from './translate.ts';
import { createUnmapAllWork } from './unmap-all.ts';
import type { WorkFactory } from './work.ts';

export const WORKS: ReadonlyMap<string, WorkFactory> = new Map([
  ['ring', createRingWork],
  ['translate', createTranslateWork],
  ['pair', createPairWork],
  ['request', createRequestWork],
  ['unmap-all', createUnmapAllWork],
  ['nested-map', createNestedMapWork],
  ['endpoints', createEndpointsWork],
  ['queue-size', createQueueSizeWork],
  ['guest-memory', createGuestMemoryWork],
  ['candidate-translate', createCandidateTranslateWork],
  ['candidate-pair', createCandidatePairWork],
]);
