// pnpm 10.34 writes the dependencies of a package in the order in which it happens to look their versions up: sorted, the same
// sources make the same tarball.
const FIELDS = ['dependencies', 'peerDependencies', 'optionalDependencies', 'devDependencies'];

function beforePacking(manifest) {
  const sorted = FIELDS.filter((field) => manifest[field] !== undefined).map((field) => [
    field,
    Object.fromEntries(
      Object.entries(manifest[field]).sort(([one], [other]) => (one < other ? -1 : 1)),
    ),
  ]);
  return { ...manifest, ...Object.fromEntries(sorted) };
}

module.exports = { hooks: { beforePacking } };
