/** What is shown, and what of it is real. */
import type { JSX } from 'preact';
import type { TraceSummary } from '../replay/replay-messages.ts';

export function About({ trace }: { readonly trace: TraceSummary }): JSX.Element {
  const { title, recording } = trace;
  if (recording === undefined) {
    return (
      <p class="about muted">
        {title}. Nothing of it is recorded: drivers and devices run in this page, and all addresses
        are those of this run. Its clock is that of playing it, so nothing is said of how long it
        takes.
      </p>
    );
  }
  const { startedAt, versions, isComplete } = recording;
  return (
    <p class="about muted">
      {title}; recorded {startedAt.slice(0, 10)} with{' '}
      {Object.entries(versions)
        .map(([name, version]) => `${name} ${version}`)
        .join(', ')}
      {!isComplete && '; the recording was cut off'}. Fresh devices in this page do all of it again,
      and each answer is compared.
    </p>
  );
}
