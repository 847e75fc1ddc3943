/** RuleSet: the rules of one machine, and the state that they need: how often each has fitted, and which answers are held. */
import { REQUEST_LAYOUTS, requestField, requestFields, statusName } from '@viommu/inspector';
import type {
  IommuInjector,
  IommuObserver,
  RequestRecord,
  RequestVerdict,
} from '@viommu/iommu-core';
import { CommandError } from '../command-error.ts';
import type { JsonObject } from '../control/json-reader.ts';
import type { Rule } from './rule.ts';

export const MAX_RULES = 64;

/** A rule has done something. */
export interface RuleHit {
  readonly iommu: number;
  readonly rule: number;
  /** What it did to what. */
  readonly text: string;
}

export interface RuleState {
  readonly id: number;
  readonly rule: JsonObject;
  /** Requests or faults that it fitted. */
  readonly fitted: number;
  /** Of these, those at which it did something. */
  readonly hits: number;
}

/** What is done to an IOMMU outside of its requests. */
export interface RuleTarget {
  needsReset(reason: string): boolean;
  releaseAnswer(): boolean;
}

interface CountedRule {
  readonly id: number;
  readonly rule: Rule;
  fitted: number;
  hits: number;
}

/** One IOMMU. */
interface Subject {
  /** By endpoint. */
  readonly domains: Map<number, number>;
  /** When each held answer is due, in milliseconds, oldest first. Answers keep their order. */
  readonly due: number[];
  asksForReset: boolean;
}

export class RuleSet {
  readonly #onHit: (hit: RuleHit) => void;
  readonly #rules: CountedRule[] = [];
  readonly #subjects: Subject[] = [];
  #nextId = 1;

  constructor(onHit: (hit: RuleHit) => void) {
    this.#onHit = onHit;
  }

  /** @throws {CommandError} when there are too many; none of them is added then */
  add(rules: readonly Rule[]): number[] {
    if (this.#rules.length + rules.length > MAX_RULES) {
      throw new CommandError(`there can be ${MAX_RULES} rules; clear some first`);
    }
    return rules.map((rule) => {
      const id = this.#nextId++;
      this.#rules.push({ id, rule, fitted: 0, hits: 0 });
      return id;
    });
  }

  /** @param id of one; all by default. @returns how many there were. What they hold comes when it is due. */
  clear(id?: number): number {
    const kept = this.#rules.filter((one) => id !== undefined && one.id !== id);
    return this.#rules.splice(0, this.#rules.length, ...kept).length - kept.length;
  }

  list(): RuleState[] {
    return this.#rules.map(({ id, rule, fitted, hits }) => ({
      id,
      rule: rule.source,
      fitted,
      hits,
    }));
  }

  injector(iommu: number): IommuInjector {
    return {
      request: (record, verdict) => this.#request(iommu, record, verdict),
      event: (endpoint) => this.#event(iommu, endpoint),
    };
  }

  /** Follows who is in which domain. */
  observer(iommu: number): Required<Pick<IommuObserver, 'attached' | 'detached' | 'reset'>> {
    const subject: Subject = { domains: new Map(), due: [], asksForReset: false };
    this.#subjects[iommu] = subject;
    return {
      attached: (endpoint, domain) => subject.domains.set(endpoint, domain),
      detached: (endpoint) => subject.domains.delete(endpoint),
      reset: () => {
        subject.due.length = 0;
        subject.asksForReset = false;
      },
    };
  }

  /**
   * Does what cannot be done within a request.
   *
   * @param targets by IOMMU
   * @returns milliseconds until the next answer is due; -1 when none is held
   */
  work(targets: readonly RuleTarget[], now = performance.now()): number {
    let next = Number.POSITIVE_INFINITY;
    this.#subjects.forEach((subject, iommu) => {
      if (subject.asksForReset) {
        subject.asksForReset = false;
        targets[iommu]!.needsReset('a rule of fault injection');
      }
      const { due } = subject;
      while (due.length > 0 && due[0]! <= now) {
        due.shift();
        targets[iommu]!.releaseAnswer();
      }
      next = Math.min(next, due[0] ?? next);
    });
    return next === Number.POSITIVE_INFINITY ? -1 : next - now;
  }

  /** The first rule that hits decides; those behind it do not count the request. */
  #request(iommu: number, record: RequestRecord, verdict: RequestVerdict): void {
    for (const one of this.#rules) {
      if (one.rule.action.do === 'drop-event') continue;
      if (!this.#fits(iommu, one.rule, record) || !counts(one)) continue;
      const done = this.#act(this.#subjects[iommu]!, one.rule, verdict);
      this.#onHit({ iommu, rule: one.id, text: `${requestFields(record)}: ${done}` });
      return;
    }
  }

  #event(iommu: number, endpoint: number): boolean {
    const domain = this.#subjects[iommu]?.domains.get(endpoint);
    for (const one of this.#rules) {
      const { rule } = one;
      const fits =
        rule.action.do === 'drop-event' &&
        agrees(rule.iommu, iommu) &&
        agrees(rule.endpoint, endpoint) &&
        agrees(rule.domain, domain);
      if (!fits || !counts(one)) continue;
      const text = `fault of endpoint 0x${endpoint.toString(16)}: its report is dropped`;
      this.#onHit({ iommu, rule: one.id, text });
      return true;
    }
    return false;
  }

  #fits(iommu: number, rule: Rule, record: RequestRecord): boolean {
    if (!agrees(rule.iommu, iommu) || !agrees(rule.request, record.type)) return false;
    const { domain: wanted, endpoint: behind, flags } = rule;
    if ((wanted ?? behind ?? flags) === undefined) return true;
    const fields = REQUEST_LAYOUTS[record.type]!.fields;
    const numberOf = (name: string) =>
      fields.some((field) => field.name === name) ? Number(requestField(record, name)) : undefined;
    const domain = numberOf('domain');
    if (!agrees(rule.domain, domain) || !agrees(flags, numberOf('flags'))) return false;
    if (rule.endpoint === undefined) return true;
    const endpoint = numberOf('endpoint');
    if (endpoint !== undefined) return endpoint === rule.endpoint;
    return this.#subjects[iommu]?.domains.get(rule.endpoint) === domain;
  }

  /** @returns what was done, in words */
  #act(subject: Subject, { action }: Rule, verdict: RequestVerdict): string {
    switch (action.do) {
      case 'status':
        verdict.status = action.status;
        return `answered ${statusName(action.status)}, not carried out`;
      case 'hold': {
        verdict.isHeld = true;
        const due = performance.now() + action.milliseconds;
        subject.due.push(Math.max(due, subject.due.at(-1) ?? 0));
        return `its answer comes ${action.milliseconds} ms later`;
      }
      case 'used-length':
        verdict.usedLength = action.length;
        return `its used length is ${action.length}`;
      default:
        subject.asksForReset = true;
        return 'DEVICE_NEEDS_RESET is set behind it';
    }
  }
}

/** Counts a request or a fault that fits. @returns whether the rule's turn has come */
function counts(one: CountedRule): boolean {
  const { nth, repeats } = one.rule;
  one.fitted += 1;
  const isTurn = repeats ? one.fitted % nth === 0 : one.fitted === nth;
  if (isTurn) one.hits += 1;
  return isTurn;
}

function agrees(wanted: number | undefined, value: number | undefined): boolean {
  return wanted === undefined || wanted === value;
}
