import { packageBuild } from '../../tooling/tsup.ts';

export default packageBuild([
  'src/index.ts',
  'src/driver/index.ts',
  'src/node/index.ts',
  'src/testing/index.ts',
]);
