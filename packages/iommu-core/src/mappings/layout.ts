/**
 * How mappings are laid out in arrays: records, nodes and their entries. Plain literals in a file of their own: only such
 * constants are put in place by the build, and a constant that is looked up costs about as much as a step of a walk.
 */

/** Fields of a record; ends are inclusive, in bytes. */
export const RECORD_START = 0;
export const RECORD_END = 1;
/** What to add to a virtual address to get the physical one. */
export const RECORD_DELTA = 2;
/** VIRTIO_IOMMU_MAP_F_*. */
export const RECORD_FLAGS = 3;
/** A record begins at its number times this. */
export const RECORD_FIELDS = 4;
/** The number of no record. */
export const NO_RECORD = -1;

/**
 * An entry is 0 (nothing), a node with its level (above 0), a whole mapping of one page (below PAGE_ENTRIES), or the
 * complement of a record's number. A page's entry has the flags in its low bits, and its frame above them: with pages of
 * 4 KiB, frames in the first 512 GiB.
 */
export const PAGE_ENTRIES = -0x4000_0000;
export const PAGE_ENTRY = -0x8000_0000;
export const PAGE_FLAGS = 7;
export const PAGE_FLAGS_BITS = 3;
export const PAGE_FRAME_MASK = 0x7ff_ffff;

/** Bits of a page's number that one node decodes. */
export const NODE_BITS = 5;
export const NODE_ENTRIES = 32;
export const INDEX_MASK = 31;
/** The position of the root's entry: the first of node 0, which holds nothing else. */
export const ROOT = 0;
/** No position. */
export const NOWHERE = -1;

/** What there is of a node beside its entries: bit n, its entry n is not empty; */
export const HEAD_OCCUPIED = 0;
/** what the numbers of all pages below it have in common, with zeros for the rest, in two integers as below; */
export const HEAD_HIGH = 1;
export const HEAD_LOW = 2;
/** its level. */
export const HEAD_LEVEL = 3;
export const HEAD_FIELDS = 4;

/**
 * The low six bits of an entry that is a node: how far the page's number is shifted for the index in the node, plus 32
 * when it is the high part that is shifted. A shift takes the low five bits of its operand, so an entry shifts as it is.
 * The level is larger the nearer a node is to the root.
 */
export const LEVEL_BITS = 6;
export const LEVEL_MASK = 63;
export const HIGH_LEVEL = 32;
/** The level of nodes whose entries are pages. */
export const PAGE_LEVEL = 0;
/** Above all levels: that of node 0. */
export const ROOT_LEVEL = 63;
/** The level of two pages that are the same. */
export const NO_DIVERGENCE = -1;

/** A page's number is taken apart into two integers: 22 bits above 30, which are six levels. */
export const LOW_MASK = 0x3fff_ffff;
export const LOW_SIZE = 0x4000_0000;
