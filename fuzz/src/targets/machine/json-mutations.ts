/** mutateJson: damages plain data at a place that an input chooses, in a way that it chooses. */
import type { InputReader } from '../../engine/input-reader.ts';

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
/** What holds a value, and under which name. */
type Place = readonly [holder: Record<string, Json>, name: string];

const NUMBERS = [
  0,
  1,
  -1,
  0.5,
  255,
  2 ** 15,
  2 ** 16 - 1,
  2 ** 16,
  2 ** 31,
  2 ** 32 - 1,
  2 ** 32,
  2 ** 52,
  Number.MAX_SAFE_INTEGER,
  2 ** 53,
  2 ** 64,
  1e308,
];
const OTHERS = ['null', 'true', 'false', '0', '""', '[]', '{}', '"0x1"', '"00"', '[{}]', '[0,0]'];

/** @param root an object or a list, changed in place */
export function mutateJson(root: object, input: InputReader): void {
  const places = placesOf(root);
  if (places.length === 0) return;
  const [holder, name] = places[input.word16() % places.length]!;
  const code = input.byte();
  const value = holder[name]!;
  if (code >= 0xe0) {
    replace(holder, name, input, places);
  } else if (typeof value === 'number') {
    holder[name] = otherNumber(value, code, input);
  } else if (typeof value === 'string') {
    holder[name] = otherText(value, code, input);
  } else if (typeof value === 'boolean') {
    holder[name] = !value;
  } else if (Array.isArray(value)) {
    changeList(value, code, input);
  } else {
    replace(holder, name, input, places);
  }
}

/** All of them, from the outside in, in the order that JSON keeps. */
function placesOf(root: object): Place[] {
  const places: Place[] = [];
  const visit = (holder: Record<string, Json>) => {
    for (const name of Object.keys(holder)) {
      places.push([holder, name]);
      const value = holder[name];
      if (typeof value === 'object' && value !== null) visit(value as Record<string, Json>);
    }
  };
  visit(root as Record<string, Json>);
  return places;
}

/** By another kind of value, by what another place has, or by nothing. */
function replace(
  holder: Record<string, Json>,
  name: string,
  input: InputReader,
  places: readonly Place[],
): void {
  const code = input.byte();
  if (code % 4 === 0 && !Array.isArray(holder)) {
    delete holder[name];
  } else if (code % 4 === 1) {
    const [from, other] = places[input.word16() % places.length]!;
    holder[name] = structuredClone(from[other] ?? null);
  } else {
    holder[name] = JSON.parse(OTHERS[(code >> 2) % OTHERS.length]!);
  }
}

function otherNumber(value: number, code: number, input: InputReader): number {
  switch (code % 4) {
    case 0:
      return input.pick(NUMBERS);
    case 1:
      return value + (input.byte() % 64) - 32;
    case 2:
      return input.word32();
    default: {
      const bit = 2 ** (input.byte() % 53);
      return Math.floor(value / bit) % 2 === 1 ? value - bit : value + bit;
    }
  }
}

/** Mostly another digit somewhere. */
function otherText(text: string, code: number, input: InputReader): string {
  if (code % 8 === 0) return text.slice(0, input.byte());
  if (code % 8 === 1) return text + text.slice(0, input.byte());
  const at = input.word16() % Math.max(text.length, 1);
  const digit = (input.byte() % 16).toString(16);
  return text.slice(0, at) + digit + text.slice(at + 1);
}

function changeList(list: Json[], code: number, input: InputReader): void {
  const at = input.byte() % Math.max(list.length, 1);
  switch (code % 4) {
    case 0:
      list.splice(at, 1 + (input.byte() % 4));
      break;
    case 1:
      list.splice(at, 0, ...structuredClone(list.slice(at, at + 1 + (input.byte() % 8))));
      break;
    case 2:
      list.push(...structuredClone(list));
      break;
    default:
      list.splice(at, 0, input.pick(NUMBERS));
  }
}
