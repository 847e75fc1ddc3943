/** What we say under each plot: where it bends and why. Written by hand from the figures of a run; a new run keeps it. */

/** Lines of text, by the name of the scan. */
export const REMARKS: Readonly<Record<string, readonly string[]>> = {
  mappings: [
    'A translation costs about the same up to some hundred mappings, whose nodes and records fit the first cache. Each fourfold more',
    'adds little until they outgrow the second cache (512 KiB per core here, reached by about 10,000 mappings of 47 bytes); beyond',
    'that each step to a node and the one to the record wait for memory. The tree itself gets only one level deeper for 32 times the',
    'mappings, so the last fourfold adds less than the one before. A request is mostly queue and checks, and grows two- to threefold in all.',
  ],
  'mapping-memory': [
    'Flat: a record has 32 bytes, and a node of 132 bytes is shared by up to 32 mappings. What moves a line up and down is growth:',
    'arrays grow by half, so up to a third of them can be unused. Below 16,384 mappings the rest of the heap weighs as much as they do.',
  ],
  endpoints: [
    'UNMAP is flat: all endpoints of a domain share one generation, so no request touches each of them. A translation for another',
    'endpoint than the last looks that up in a hash map, and then meets a domain whose objects nobody has looked at for a while: about ten',
    'loads, one after the other. It bends where these objects outgrow the second cache (beyond 256 domains) and then what is',
    'left of the third (4,096), and is nearly flat again above. ATTACH makes a domain and drops another: it bends at about the',
    'same places, and pays for the collection of garbage, since what it drops has survived for long.',
    '',
    'Each endpoint is in a domain of its own, but for UNMAP: the same figures are those of 1 to 65,536 domains.',
  ],
  'queue-size': [
    'Flat: nothing is done per descriptor of the ring but what its chains need. With 2 descriptors the ring holds one chain, so the decision',
    'about an interrupt and the look at an empty ring fall on each chain; with 32,768 the buffers are 2 MiB, which are',
    'used in order and so come into the cache ahead of time.',
  ],
  'guest-memory': [
    'With one region a read of 16 bytes is a copy of words as long as memory fits the caches; then it is one access to memory that nothing',
    'could foresee, and from 64 MiB on one to the page tables of the machine on top. Several regions are searched by halves, which',
    'the processor mispredicts at random addresses: that costs a read about the same at each size, and is most of it only in small memories.',
  ],
};
