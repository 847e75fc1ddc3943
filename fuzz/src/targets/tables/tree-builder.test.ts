import { readFlattenedTree } from '@viommu/viot';
import { expect, it } from 'vitest';
import { InputReader } from '../../engine/input-reader.ts';
import { buildTree } from './tree-builder.ts';

function treeOf(...bytes: number[]) {
  const input = new InputReader();
  input.begin(Uint8Array.from(bytes));
  return readFlattenedTree(buildTree(input));
}

it('nodes, texts and cells are read as they were chosen', () => {
  // A node soc with compatible and reg of three cells, and a node within it; then a NOP in the root.
  const root = treeOf(0x08, 0x02, 3, 0x0c, 3, 0x0c, 0x85, 0xff, 1, 2, 3, 4, 0x18, 1, 1, 0x03);
  expect([root.name, root.children.map(({ name }) => name)]).toEqual(['', ['soc']]);
  const [soc] = root.children;
  expect(soc!.children.map(({ name }) => name)).toEqual(['iommu@8']);
  expect([...soc!.properties.keys()]).toEqual(['compatible', 'reg']);
  const text = soc!.properties.get('compatible')!;
  expect(Buffer.from(text.buffer, text.byteOffset, text.byteLength).toString()).toBe(
    'pci-host-ecam-generic\0',
  );
  const reg = soc!.properties.get('reg')!;
  expect([0, 4, 8].map((at) => reg.getUint32(at))).toEqual([0xffff_ffff, 5, 0x0403_0201]);
});

it('what is open at the end is closed, and nothing is an empty root', () => {
  expect(treeOf().children).toEqual([]);
  const [first] = treeOf(0, 0, 0).children;
  expect(first!.children[0]!.children[0]!.children).toEqual([]);
});
