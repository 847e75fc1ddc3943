/** The traces that come with the page: the build writes `traces/index.json`. */

export interface ShippedTrace {
  readonly name: string;
  readonly title: string;
  /** Relative to the page. */
  readonly url: string;
}

export async function fetchTraceIndex(): Promise<readonly ShippedTrace[]> {
  const answer = await fetch('traces/index.json');
  if (!answer.ok) throw new Error(`the list of traces cannot be loaded: ${answer.status}`);
  return (await answer.json()) as readonly ShippedTrace[];
}
