/** Several updates of one watch as one that says all of it, for somebody who takes them together. */
import type { InspectorUpdate } from './inspector-messages.ts';

/** @param updates in their order, at least one; lists of changes are put behind each other, of all else the last one counts */
export function joinUpdates(updates: readonly InspectorUpdate[]): InspectorUpdate {
  const joined: Record<string, unknown> = {};
  for (const update of updates) {
    // Whoever gets all domains needs none of the changes before.
    if (update.domains !== undefined) delete joined.changes;
    for (const [name, value] of Object.entries(update)) {
      const known = joined[name];
      if (name === 'domains' || !Array.isArray(value)) joined[name] = value;
      else if (known === undefined) joined[name] = [...value];
      else (known as unknown[]).push(...value);
    }
  }
  return joined as unknown as InspectorUpdate;
}
