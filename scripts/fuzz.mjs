// `pnpm fuzz ARGS`: sets up what is missing, builds, and runs the fuzzer on the built packages.
import { runBuilt } from './foreground.mjs';

runBuilt('fuzz/dist/main.js', process.argv.slice(2));
