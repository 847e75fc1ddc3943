/** The commands about rules of fault injection. */
import { CommandError } from '../command-error.ts';
import { readRule } from '../inject/rule.ts';
import { MAX_RULES } from '../inject/rule-set.ts';
import type { RulesResult } from './control-protocol.ts';
import type { ControlledMachine } from './controlled-machine.ts';
import type { JsonReader } from './json-reader.ts';

/** All of them are added, or none. */
export function addRules({ machine, rules }: ControlledMachine, fields: JsonReader) {
  const items = fields.items('rules');
  fields.end();
  if (items.length > MAX_RULES) throw new CommandError(`there can be ${MAX_RULES} rules`);
  return { ids: rules.add(items.map((item) => readRule(item, machine.endpoints))) };
}

export function listRules({ rules }: ControlledMachine, fields: JsonReader): RulesResult {
  fields.end();
  return { rules: rules.list() };
}

export function clearRules({ rules }: ControlledMachine, fields: JsonReader) {
  const rule = fields.optional('rule', () => fields.integer('rule', 1, Number.MAX_SAFE_INTEGER));
  fields.end();
  const cleared = rules.clear(rule);
  if (rule !== undefined && cleared === 0) throw new CommandError(`there is no rule ${rule}`);
  return { cleared };
}
