/** All scans, in the order in which they are measured and shown. */
import type { Scan, Series } from './scan.ts';

const REQUESTS = 128;

export const SCANS: readonly Scan[] = [
  {
    name: 'mappings',
    title: 'Number of mappings',
    size: 'mappings of 4 KiB in one domain, on every second page',
    unit: 'ns',
    sizes: powers(4, 20, 2),
    series: [
      time('translation, random', (count) => [
        'translate',
        `count=${count}`,
        'pattern=random',
        'prepared=1048576',
      ]),
      time('MAP or UNMAP request', (count) => ['request', `count=${count}`], REQUESTS),
    ],
  },
  {
    name: 'mapping-memory',
    title: 'Memory per mapping',
    size: 'mappings of 4 KiB in one domain',
    unit: 'bytes per mapping',
    // With fewer, other things on the heap weigh more than the mappings.
    sizes: powers(14, 20, 1),
    series: [
      memory('page after page', 'dense'),
      memory('on every second page', 'stride-13'),
      memory('anywhere in 48 bits', 'random'),
    ],
  },
  {
    name: 'endpoints',
    title: 'Number of endpoints and of domains',
    size: 'endpoints',
    unit: 'ns',
    sizes: powers(0, 16, 2),
    series: [
      endpoints('translation, a domain each', 'translate'),
      endpoints('ATTACH, a domain each', 'attach'),
      endpoints('UNMAP, all in one domain', 'unmap'),
    ],
  },
  {
    name: 'queue-size',
    title: 'Size of a queue',
    size: 'descriptors in a split ring',
    unit: 'ns',
    sizes: powers(1, 15, 2),
    series: [time('chain of two descriptors', (size) => ['queue-size', `size=${size}`])],
  },
  {
    name: 'guest-memory',
    title: 'Guest memory',
    size: 'bytes of guest memory',
    unit: 'ns',
    sizes: powers(20, 32, 2),
    series: [1, 8, 64].map((regions) =>
      time(`read of 16 bytes, ${regions === 1 ? '1 region' : `${regions} regions`}`, (size) => [
        'guest-memory',
        `size=${size}`,
        `regions=${regions}`,
      ]),
    ),
  },
];

/** Powers of two from one exponent to another, both included. */
function powers(first: number, last: number, step: number): readonly number[] {
  const count = Math.floor((last - first) / step) + 1;
  return Array.from({ length: count }, (_, index) => 2 ** (first + index * step));
}

function time(name: string, words: Series['words'], multiple = 1): Series {
  return { name, measure: 'time', words, multiple };
}

function memory(name: string, layout: string): Series {
  return {
    name,
    measure: 'bytes',
    words: (count) => ['memory', `layout=${layout}`, `count=${count}`],
  };
}

function endpoints(name: string, operation: string): Series {
  return time(name, (count) => ['endpoints', `operation=${operation}`, `count=${count}`]);
}
