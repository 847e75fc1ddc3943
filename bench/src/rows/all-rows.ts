/** All rows, in the order in which they are measured and shown. */
import { ALLOCATION_ROWS } from './allocation.ts';
import { BUNDLE_ROWS } from './bundles.ts';
import { MAPPING_ROWS } from './mapping.ts';
import { MEMORY_ROWS } from './memory.ts';
import { NESTED_ROWS } from './nested.ts';
import { REJECTED_ROWS } from './rejected.ts';
import { REQUEST_ROWS } from './requests.ts';
import { RING_ROWS } from './ring.ts';
import type { Row } from './row.ts';
import { SERVING_ROWS } from './serving.ts';
import { TRANSLATE_ROWS } from './translate.ts';

export const ALL_ROWS: readonly Row[] = [
  ...RING_ROWS,
  ...TRANSLATE_ROWS,
  ...MAPPING_ROWS,
  ...REQUEST_ROWS,
  ...NESTED_ROWS,
  ...SERVING_ROWS,
  ...MEMORY_ROWS,
  ...ALLOCATION_ROWS,
  ...BUNDLE_ROWS,
  ...REJECTED_ROWS,
];
