/** The line of a trace's operations: where data moved, where faults were, and where it stands. */
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { PageStore } from '../page/page-store.ts';
import { colour, onColoursChange } from './colours.ts';

const HEIGHT = 34;

export function Timeline({ store }: { readonly store: PageStore }): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { trace, position } = store;

  // Drawn whenever one of these changes.
  useEffect(() => {
    const place = canvas.current;
    // Something else can be shown by the time that this is called.
    if (place === null) return;
    const draw = () => drawTimeline(place, store);
    draw();
    const resized = new ResizeObserver(draw);
    resized.observe(place);
    const forget = onColoursChange(draw);
    return () => {
      resized.disconnect();
      forget();
    };
  }, [trace, position]);

  return (
    <div class="timeline">
      <canvas ref={canvas} />
      <input
        type="range"
        min="0"
        max={trace?.operations ?? 0}
        value={position}
        disabled={trace === undefined}
        aria-label="Operation"
        onInput={({ currentTarget }) => store.jump(currentTarget.valueAsNumber)}
      />
    </div>
  );
}

function drawTimeline(canvas: HTMLCanvasElement, { trace, position }: PageStore): void {
  const scale = devicePixelRatio;
  const width = canvas.clientWidth;
  canvas.width = width * scale;
  canvas.height = HEIGHT * scale;
  const context = canvas.getContext('2d')!;
  context.scale(scale, scale);
  if (trace === undefined || trace.operations === 0) return;
  const xOf = (operation: number) => (operation / trace.operations) * width;
  context.fillStyle = colour('--fill');
  context.fillRect(0, 0, xOf(position), HEIGHT);
  const most = Math.log1p(Math.max(1, ...trace.activity));
  const part = width / trace.activity.length;
  for (const [at, bytes] of trace.activity.entries()) {
    if (bytes === 0) continue;
    const height = Math.max((Math.log1p(bytes) / most) * (HEIGHT - 10), 1);
    const isPast = at * part < xOf(position);
    context.fillStyle = colour(isPast ? '--accent' : '--faint');
    context.fillRect(at * part, HEIGHT - 5 - height, Math.max(part - 0.5, 0.5), height);
  }
  context.fillStyle = colour('--muted');
  for (const request of trace.requests) context.fillRect(xOf(request), HEIGHT - 4, 1, 4);
  context.fillStyle = colour('--fault');
  for (const fault of trace.faults) context.fillRect(xOf(fault) - 1, 0, 3, HEIGHT);
  context.fillStyle = colour('--ink');
  context.fillRect(Math.min(Math.max(xOf(position) - 1, 0), width - 2), 0, 2, HEIGHT);
}
