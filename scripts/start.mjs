// `npm start -- ARGS`: sets up what is missing and runs the command `viommu` with ARGS, or `viommu demo` without any.
import { runBuilt } from './foreground.mjs';

const args = process.argv.slice(2);
runBuilt('apps/demo/dist/main.js', args.length > 0 ? args : ['demo'], {
  cwd: process.env.INIT_CWD ?? process.cwd(),
});
