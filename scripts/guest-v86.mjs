// `pnpm guest:v86 ARGS`: sets up what is missing, and makes the Linux guest for v86 in the cache.
import { runBuilt } from './foreground.mjs';

runBuilt('tooling/v86-guest/dist/main.js', process.argv.slice(2));
