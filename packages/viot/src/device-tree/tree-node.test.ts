import { expect, it } from 'vitest';
import type { TreeNode } from './flattened-tree.ts';
import { pathOf } from './tree-node.ts';

function below(parent: TreeNode | undefined, name: string): TreeNode {
  return { name, parent, properties: new Map(), children: [] };
}

it('pathOf names the nodes from the root on, however many', () => {
  const root = below(undefined, '');
  expect(pathOf(root)).toBe('/');
  expect(pathOf(below(below(root, 'soc'), 'pcie@0'))).toBe('/soc/pcie@0');
  let node = root;
  for (let depth = 0; depth < 50_000; depth += 1) node = below(node, 'n');
  expect(pathOf(node)).toHaveLength(2 * 50_000);
});
