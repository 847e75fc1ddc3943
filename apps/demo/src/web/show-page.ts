/** Serves the page until this program is interrupted: what `--web` of `replay` and `demo` does. */
import { type PageServerOptions, servePage } from './page-server.ts';

/** @throws CommandError when the page is not built */
export async function showPage(options: PageServerOptions): Promise<void> {
  const page = await servePage(options);
  const interrupted = new Promise<void>((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
  process.stdout.write(`the page is at ${page.url}\nuntil this program is interrupted\n`);
  await interrupted;
  page.close();
}
