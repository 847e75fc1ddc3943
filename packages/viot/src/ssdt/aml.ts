/** ACPI Machine Language ("AML", ACPI chapter 20), as far as a table of devices needs it. Each function gives the bytes of one term. */

const ZERO_OP = 0x00;
const ONE_OP = 0x01;
const NAME_OP = 0x08;
const BYTE_PREFIX = 0x0a;
const WORD_PREFIX = 0x0b;
const STRING_PREFIX = 0x0d;
const SCOPE_OP = 0x10;
const BUFFER_OP = 0x11;
const METHOD_OP = 0x14;
const MULTI_NAME_PREFIX = 0x2f;
const EXTENSION_PREFIX = 0x5b;
const ROOT_CHARACTER = 0x5c;
const OR_OP = 0x7d;
// Behind the extension prefix.
const OPERATION_REGION_OP = 0x80;
const FIELD_OP = 0x81;
const DEVICE_OP = 0x82;
const PCI_CONFIG = 2;
/** WordAcc, NoLock, Preserve. */
const FIELD_BY_WORDS = 2;
/** Longest lengths of one, two, three and four bytes: 6 bits, then 4 bits and 8 for each further byte. */
const LONGEST_LENGTHS = [0x3f, 0xfff, 0xf_ffff, 0xfff_ffff];

type Bytes = readonly number[];

/** @param path absolute, such as `\_SB.PCI0.S30` */
export function scope(path: string, terms: readonly Bytes[]): Bytes {
  return [SCOPE_OP, ...packageOf([...nameString(path), ...terms.flat()])];
}

/** @param name four characters */
export function device(name: string, terms: readonly Bytes[]): Bytes {
  return [EXTENSION_PREFIX, DEVICE_OP, ...packageOf([...ascii(name), ...terms.flat()])];
}

/** 16 bits of the configuration space of the PCI function that it is in, as a field. The names have four characters. */
export function pciConfigWord(region: string, field: string, offset: number): Bytes {
  const place = [PCI_CONFIG, ...integer(offset), ...integer(2)];
  return [
    ...[EXTENSION_PREFIX, OPERATION_REGION_OP, ...ascii(region), ...place],
    ...[EXTENSION_PREFIX, FIELD_OP],
    ...packageOf([...ascii(region), FIELD_BY_WORDS, ...ascii(field), 16]),
  ];
}

/** A method without arguments, and with a name of four characters. */
export function method(text: string, terms: readonly Bytes[]): Bytes {
  return [METHOD_OP, ...packageOf([...ascii(text), 0, ...terms.flat()])];
}

/** Sets bits of a field of four characters. */
export function setBits(field: string, bits: number): Bytes {
  return [OR_OP, ...ascii(field), ...integer(bits), ...ascii(field)];
}

/** Gives an object a name of four characters. */
export function name(text: string, value: Bytes): Bytes {
  return [NAME_OP, ...ascii(text), ...value];
}

/** @param value 0 to 65535 */
export function integer(value: number): Bytes {
  if (value === 0) return [ZERO_OP];
  if (value === 1) return [ONE_OP];
  return value <= 0xff ? [BYTE_PREFIX, value] : [WORD_PREFIX, value & 0xff, value >> 8];
}

export function string(text: string): Bytes {
  return [STRING_PREFIX, ...ascii(text), 0];
}

export function buffer(bytes: Bytes): Bytes {
  return [BUFFER_OP, ...packageOf([...integer(bytes.length), ...bytes])];
}

/** Each segment of a path has four characters, shorter ones are filled up with underscores. */
function nameString(path: string): Bytes {
  const segments = path
    .slice(1)
    .split('.')
    .map((segment) => segment.padEnd(4, '_'));
  return [ROOT_CHARACTER, MULTI_NAME_PREFIX, segments.length, ...segments.flatMap(ascii)];
}

/** "PkgLength": counts its own bytes, too. */
function packageOf(content: Bytes): Bytes {
  const size = LONGEST_LENGTHS.findIndex((longest, index) => content.length + index + 1 <= longest);
  const length = content.length + size + 1;
  if (size === 0) return [length, ...content];
  const rest = Array.from({ length: size }, (_, index) => (length >>> (4 + 8 * index)) & 0xff);
  return [(size << 6) | (length & 0xf), ...rest, ...content];
}

function ascii(text: string): number[] {
  return [...text].map((sign) => sign.charCodeAt(0));
}
