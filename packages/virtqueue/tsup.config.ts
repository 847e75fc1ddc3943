import { packageBuild } from '../../tooling/tsup.ts';

export default packageBuild([
  'src/index.ts',
  'src/device/index.ts',
  'src/driver/index.ts',
  'src/snapshot/index.ts',
  'src/testing/index.ts',
]);
