/** Levels of the tree of starts: where in a node a page is, and at which level two pages part. Pages are in two integers. */

import {
  HIGH_LEVEL,
  INDEX_MASK,
  LEVEL_BITS,
  LEVEL_MASK,
  LOW_SIZE,
  NO_DIVERGENCE,
  NODE_BITS,
} from './layout.ts';
import { highestBit } from './radix-nodes.ts';

/** Of a node's entries. */
export function firstPosition(node: number): number {
  return (node & ~LEVEL_MASK) >>> (LEVEL_BITS - NODE_BITS);
}

/** @param level a level, or a node with its level */
export function indexAt(level: number, high: number, low: number): number {
  return (((level & HIGH_LEVEL) === 0 ? low : high) >>> level) & INDEX_MASK;
}

/** The highest level at which two pages differ. */
export function divergenceOf(
  high: number,
  low: number,
  otherHigh: number,
  otherLow: number,
): number {
  if (high !== otherHigh) return HIGH_LEVEL + levelOfBit(highestBit(high ^ otherHigh));
  return low === otherLow ? NO_DIVERGENCE : levelOfBit(highestBit(low ^ otherLow));
}

/** How many pages there are below one entry of a node. */
export function pagesPerEntry(level: number): number {
  return (level & HIGH_LEVEL) === 0 ? 2 ** level : LOW_SIZE * 2 ** (level - HIGH_LEVEL);
}

function levelOfBit(bit: number): number {
  return bit - (bit % NODE_BITS);
}
