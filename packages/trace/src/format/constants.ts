/** What a trace begins with, before it is compressed with gzip. */

/** `vtrace`, a zero, and the version. */
export const TRACE_MAGIC = Uint8Array.of(0x76, 0x74, 0x72, 0x61, 0x63, 0x65, 0, 1);
/** Behind the magic is the length of the header in bytes, 32 bits, little-endian; then the header as JSON in UTF-8. */
export const HEADER_LENGTH_BYTES = 4;
/** By `what` of the event `networkTells`. */
export const NETWORK_TELLS = ['receivable', 'sendable', 'linkChanged'] as const;

/** A header or an event of more bytes is damaged. */
export const LARGEST_ITEM = 1 << 26;
/** Bytes of a region in a `regions` event come as numbers: start, length and access of each. */
export const REGIONS_MAX = 65536;
