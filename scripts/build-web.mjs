// `pnpm build:web`: makes the page with the Linux guest that boots in it: a folder of static files, for any server.
import { runBuilt } from './foreground.mjs';
import { root } from './set-up.mjs';

const web = `${root}apps/web`;
runBuilt('tooling/v86-guest/dist/main.js', [
  ...['--page', `${web}/dist/guest`, '--tree', `${web}/guest`],
  ...process.argv.slice(2),
]);
