/** What the tests of the page share: a real browser, or the reason why there is none. */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];

/** $VIOMMU_BROWSER, or a Chromium that is in the path. */
export const browserPath = process.env.VIOMMU_BROWSER || findInPath();
if (browserPath === undefined) {
  process.stderr.write(
    'tests of the page are skipped: there is no Chromium in the path; install one, or name it in VIOMMU_BROWSER\n',
  );
}

function findInPath(): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find(existsSync);
}
