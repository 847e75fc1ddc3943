/** What we say under each plot: where it bends and why. Written by hand from the figures of a run; a new run keeps it. */

/** Lines of text, by the name of the scan. */
export const REMARKS: Readonly<Record<string, readonly string[]>> = {
  mappings: [
    'A translation bends once, beyond 65,536 mappings (0.6 MiB of nodes: each page is whole in its entry, and every second page is',
    'mapped) on the way to 262,144 (2.4 MiB), where the nodes outgrow the second cache, of 512 KiB per core here: from there on its',
    'last step waits for memory. Depth hardly shows. A request is mostly queue and checks; with 65,536 times the mappings it takes',
    'less than twice as long.',
  ],
  'mapping-memory': [
    'No bend. These frames lie beyond 512 GiB, so no page is whole in its entry: a record has 32 bytes, and up to 32 mappings share a',
    'node of 148. The steps up and down are growth: arrays grow by half, so up to a third of them can be unused. With fewer mappings',
    'than these the rest of the heap weighs as much as they do.',
  ],
  endpoints: [
    'UNMAP is flat: the endpoints of a domain share one generation, so no request touches each of them. A translation for another',
    'endpoint than the last finds it in a hash map, and then reads about ten small objects of its domain, one by way of the other. It bends',
    'where these no longer fit the second cache (from 1,024 domains on) and then what we get of the third (4,096); from there on it',
    'is memory alone, and sixteenfold the domains doubles it. ATTACH makes one domain and drops another: it bends at 1,024, too,',
    'and by fewer steps. How much of that is the cache and how much the collection of what was dropped we have not taken apart.',
    '',
    'But for UNMAP each endpoint is in a domain of its own, so these are the figures for 1 to 65,536 domains as well.',
  ],
  'queue-size': [
    'No bend: nothing is done per descriptor of a ring but what its chains need, and buffers that are used in order come into the cache',
    'ahead of time. A ring of 2 holds a single chain, so a look at the empty ring and the decision about an interrupt come with each.',
  ],
  'guest-memory': [
    'With one region a read is a copy of words, and up to 1 MiB little else. It bends at 4 MiB, beyond the second cache and the 1 MiB',
    'or so of pages whose translations the processor keeps closest, and rises slowly to what an access costs that nothing could',
    'foresee. More regions are searched by halves, which the processor mispredicts at random addresses: 117 to 184 ns more in 1 MiB;',
    'from 256 MiB on the wait for memory is all that one sees.',
  ],
};
