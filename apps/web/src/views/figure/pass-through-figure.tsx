/** The figure of a device that is passed through twice: each step is lit when it happens, with what happened in a sentence. */
import type { JSX } from 'preact';
import { countText } from '../../page/numbers.ts';
import type { PageStore } from '../../page/page-store.ts';
import {
  ARROWS,
  BANDS,
  BORDER,
  BOX_HEIGHT,
  BOXES,
  SIZE,
  STEPS,
  type Step,
} from './figure-layout.ts';
import type { Standing, StepStanding, StepState } from './figure-standing.ts';

interface Props {
  readonly store: PageStore;
  readonly standing: Standing;
}

const STATES: readonly StepState[] = ['refused', 'now', 'done', 'ahead', 'unseen'];

export function PassThroughFigure({ store, standing }: Props): JSX.Element {
  const { trace } = store;
  const isPlayed = trace !== undefined && trace.recording === undefined;
  const now = STEPS.filter(({ step }) => isLit(standing[step]));
  return (
    <section class="panel figure" aria-labelledby="figure-title">
      <h2 id="figure-title">A device passed through twice</h2>
      <div class="figure-drawing">
        <Drawing stateOf={(step) => standing[step].state} />
      </div>
      <ol class="figure-steps">
        {STEPS.map(({ step, title }) => {
          const { state, count, text } = standing[step];
          const first = trace?.figure.find((one) => one.step === step);
          return (
            <li key={step} data-step={step} data-state={state}>
              <button
                type="button"
                aria-current={isLit(standing[step]) ? 'step' : undefined}
                disabled={first === undefined}
                title={first && 'Go to where it first happens'}
                onClick={() => first !== undefined && store.jump(first.operation + 1)}
              >
                <b>{step}</b> {title}
              </button>
              <p>
                {text ?? <span class="muted">{WITHOUT_TEXT[state] ?? 'not yet'}</span>}
                {count > 1 && <span class="muted"> · {countText(count)} times so far</span>}
              </p>
            </li>
          );
        })}
      </ol>
      {!isPlayed && (
        <p class="figure-note muted">
          This is what is seen from outside the guest. Mappings count while the device is in a
          domain that translates.
        </p>
      )}
      <p class="visually-hidden" aria-live={store.isPlaying ? 'off' : 'polite'}>
        {now.map(({ step }) => `Step ${step}: ${standing[step].text}`).join('; ')}
      </p>
    </section>
  );
}

const WITHOUT_TEXT: Partial<Record<StepState, string>> = {
  unseen: 'stays within the guest, where nobody outside sees it; 1b comes of it',
};

function isLit({ state }: StepStanding): boolean {
  return state === 'now' || state === 'refused';
}

/** What it shows is told by the list of steps, too. */
function Drawing({ stateOf }: { readonly stateOf: (step: Step) => StepState }): JSX.Element {
  const strongest = (steps: readonly Step[]): StepState => {
    const states = steps.map(stateOf);
    return STATES.find((one) => states.includes(one)) ?? 'ahead';
  };
  return (
    <svg
      viewBox={`0 0 ${SIZE.width} ${SIZE.height}`}
      role="img"
      aria-label="Figure of a device passed through twice"
      aria-describedby="figure-words"
    >
      <desc id="figure-words">
        Memory, the physical IOMMU and the device are hardware. Above the physical IOMMU are the
        host's IOMMU driver, the host's VFIO and, in the VMM, the virtio-iommu device. The guest has
        a virtio-iommu driver and VFIO in its kernel, and a driver in user space. Step 1a goes from
        the user space driver to the guest's VFIO, 1b through the virtio-iommu driver to the
        virtio-iommu device, 1c through the host's VFIO to the physical IOMMU, 2a from the user
        space driver to the device, 2b from the device through the physical IOMMU to memory.
      </desc>
      <defs>
        {STATES.map((state) => (
          <marker
            key={state}
            id={`arrow-${state}`}
            class={state}
            viewBox="0 0 8 8"
            refX="7"
            refY="4"
            markerWidth="8"
            markerHeight="8"
            markerUnits="userSpaceOnUse"
            orient="auto"
          >
            <path d="M0 0 L8 4 L0 8 Z" />
          </marker>
        ))}
      </defs>
      {BANDS.map(({ name, y, line }) => (
        <g key={name} class="band">
          <text x="4" y={y + 4}>
            {name}
          </text>
          {line !== undefined && <path d={`M4 ${line} H${SIZE.width - 4}`} />}
        </g>
      ))}
      <g class="band">
        <path class="border" d={`M${BORDER.x} ${BORDER.top} V${SIZE.height}`} />
        <text x={BORDER.hostX} y={BORDER.y}>
          host
        </text>
        <text x={BORDER.guestX} y={BORDER.y}>
          guest
        </text>
      </g>
      {ARROWS.map(({ step, paths, label: [x, y] }) => (
        <g key={step} class="arrow" data-arrow={step} data-state={stateOf(step)}>
          {paths.map((path, index) => {
            const state = index === 0 ? stateOf(step) : unlessRefused(stateOf(step));
            return (
              <path key={path} d={path} data-state={state} marker-end={`url(#arrow-${state})`} />
            );
          })}
          <circle cx={x} cy={y} r="14" />
          <text x={x} y={y + 4.5} text-anchor="middle">
            {step}
          </text>
        </g>
      ))}
      {BOXES.map(({ x, y, width, lines, steps, isBehindIommu }) => (
        <g
          key={lines[0]}
          class="box"
          data-state={isBehindIommu ? unlessRefused(strongest(steps)) : strongest(steps)}
        >
          <rect x={x} y={y} width={width} height={BOX_HEIGHT} rx="7" />
          {lines.map((line, index) => (
            <text
              key={line}
              class={index === 0 ? '' : 'second'}
              x={x + width / 2}
              y={y + (lines.length === 1 ? 28 : 20 + index * 16)}
              text-anchor="middle"
            >
              {line}
            </text>
          ))}
        </g>
      ))}
    </svg>
  );
}

/** What is behind the physical IOMMU has no part in an access that is refused. */
function unlessRefused(state: StepState): StepState {
  return state === 'refused' ? 'done' : state;
}
