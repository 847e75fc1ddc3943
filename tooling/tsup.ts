// The one way every package is bundled: ESM for the browser and Node.js alike, declarations by tsc.
import { execFileSync } from 'node:child_process';
import { defineConfig } from 'tsup';

export function packageBuild(entry: string[]) {
  return defineConfig({
    entry: Object.fromEntries(
      entry.map((file) => [file.slice('src/'.length, -'.ts'.length), file]),
    ),
    format: 'esm',
    target: 'es2023',
    sourcemap: true,
    treeshake: true,
    // Puts numeric constants of other files in place; as the variables that a bundle makes of them they cost the ring a tenth
    // of its time, and a walk of the mappings a third.
    minifySyntax: true,
    clean: true,
    async onSuccess() {
      execFileSync('tsc', ['-p', 'tsconfig.build.json'], { stdio: 'inherit' });
    },
  });
}
