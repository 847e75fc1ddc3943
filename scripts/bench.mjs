// `pnpm bench ARGS`: sets up what is missing, builds, and runs the benchmarks of the built packages.
import { runBuilt } from './foreground.mjs';

runBuilt('bench/dist/main.js', process.argv.slice(2));
