import { describe, expect, it } from 'vitest';
import { KERNEL_CONFIG } from './kernel-config.ts';
import { checkSeabios, currentFacts, recipeHash } from './recipe.ts';

const facts = {
  recipe: recipeHash(),
  kernelRelease: '6.12.117-viommu',
  kernelConfig: '00',
  compiler: 'gcc 12',
  pageBytes: '3500000',
};

describe('currentFacts', () => {
  it('takes a part of the same recipe', () => {
    expect(currentFacts({ packages: [], files: {}, facts })).toEqual(facts);
  });

  it('takes none of another recipe, and none without one', () => {
    const other = { ...facts, recipe: recipeHash(`${KERNEL_CONFIG}CONFIG_SMP=y\n`) };
    expect(currentFacts({ packages: [], files: {}, facts: other })).toBeUndefined();
    expect(currentFacts({ packages: [], files: {} })).toBeUndefined();
    expect(currentFacts(undefined)).toBeUndefined();
  });
});

describe('checkSeabios', () => {
  it('takes 1.16 alone', () => {
    expect(() => checkSeabios('1.16.3-2')).not.toThrow();
    expect(() => checkSeabios('1.17.0-1')).toThrow(
      "Debian's SeaBIOS is 1.17.0-1, and takes no ACPI table from v86; the recipe needs 1.16",
    );
    expect(() => checkSeabios('11.16.0-1')).toThrow();
  });
});
