/** The end of a machine: every disk is flushed and closed, and none that cannot be is passed over in silence. */
import {
  closeSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMachine, standardMachine } from '@viommu/machine';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { NodeParts } from './node-parts.ts';

let folder: string;

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'viommu-close-')));
});

afterEach(() => rmSync(folder, { recursive: true }));

function descriptorOf(path: string): number | undefined {
  const found = readdirSync('/proc/self/fd').find((fd) => {
    const link = `/proc/self/fd/${fd}`;
    return existsSync(link) && readlinkSync(link) === path;
  });
  return found === undefined ? undefined : Number(found);
}

it('closes all disks when one fails, and says so once', () => {
  const disks = ['a.img', 'b.img'].map((name) => join(folder, name));
  for (const disk of disks) writeFileSync(disk, new Uint8Array(1024));
  const machine = createMachine(standardMachine({ disks }), { parts: new NodeParts() });
  closeSync(descriptorOf(disks[0]!)!);
  expect(descriptorOf(disks[1]!)).toBeDefined();
  expect(() => machine.close()).toThrow('EBADF');
  expect(descriptorOf(disks[1]!)).toBeUndefined();
  expect(() => machine.close()).not.toThrow();
});
