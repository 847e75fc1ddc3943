/** Checks of JSON that say which field is wrong: `nodes[2].bdfStart: …`. */
import { hex } from '../describe.ts';
import { ViotError } from '../viot-error.ts';

/** @throws ViotError `SYNTAX` when a value is not of a shape; its message begins with the path */
export type Shape = (value: unknown, path: string) => void;

export function integer(largest: number): Shape {
  return (value, path) => {
    if (Number.isInteger(value) && Number(value) >= 0 && Number(value) <= largest) return;
    throw wrong(path, `write an integer from 0 to ${hex(largest)}`, value);
  };
}

/** Characters of 8 bits. */
export function text(longest: number): Shape {
  return (value, path) => {
    const fits = typeof value === 'string' && value.length <= longest && !/[^\0-\xff]/.test(value);
    if (!fits) throw wrong(path, `write at most ${longest} characters of 8 bits`, value);
  };
}

/** Bytes as hexadecimal digits. */
export function digits(mostBytes = Number.POSITIVE_INFINITY): Shape {
  return (value, path) => {
    const fits = typeof value === 'string' && /^([0-9a-f]{2})*$/i.test(value);
    if (!fits) throw wrong(path, 'write two hexadecimal digits for each byte', value);
    if (value.length > 2 * mostBytes) throw wrong(path, `write at most ${mostBytes} bytes`, value);
  };
}

export function oneOf(choices: readonly string[]): Shape {
  return (value, path) => {
    if (choices.includes(value as string)) return;
    throw wrong(path, `write ${choices.map((choice) => `"${choice}"`).join(' or ')}`, value);
  };
}

export function list(item: Shape): Shape {
  return (value, path) => {
    if (!Array.isArray(value)) throw wrong(path, 'write a list', value);
    value.forEach((part, index) => {
      item(part, `${path}[${index}]`);
    });
  };
}

/** An object with all the fields, perhaps some of the optional ones, and no others. */
export function object(
  fields: Readonly<Record<string, Shape>>,
  optional: Readonly<Record<string, Shape>> = {},
): Shape {
  const known = new Map([...Object.entries(fields), ...Object.entries(optional)]);
  return (value, path) => {
    const given = entriesOf(value, path);
    for (const name of Object.keys(fields)) {
      if (!given.has(name)) throw new ViotError('SYNTAX', `${at(path, name)}: is missing`);
    }
    for (const [name, part] of given) {
      const shape = known.get(name);
      if (shape === undefined) {
        throw new ViotError(
          'SYNTAX',
          `${at(path, name)}: there is no such field; there are ${[...known.keys()].join(', ')}`,
        );
      }
      shape(part, at(path, name));
    }
  };
}

/** An object of which one field says which shape the others have. */
export function variants(
  tag: string,
  shapes: Readonly<Record<string, Readonly<{ fields: object; optional?: object }>>>,
): Shape {
  const tagShape = oneOf(Object.keys(shapes));
  const objects = new Map(
    Object.entries(shapes).map(([name, { fields, optional }]) => [
      name,
      object({ [tag]: tagShape, ...fields }, { ...optional }),
    ]),
  );
  return (value, path) => {
    const name = entriesOf(value, path).get(tag);
    tagShape(name, at(path, tag));
    objects.get(name as string)?.(value, path);
  };
}

function entriesOf(value: unknown, path: string): Map<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw wrong(path, 'write an object', value);
  }
  return new Map(Object.entries(value));
}

function at(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

function wrong(path: string, instruction: string, value: unknown): ViotError {
  const shown = value === undefined ? 'nothing' : JSON.stringify(value);
  const short = shown.length > 40 ? `${shown.slice(0, 40)}…` : shown;
  return new ViotError('SYNTAX', `${path === '' ? 'JSON' : path}: ${instruction}, not ${short}`);
}
