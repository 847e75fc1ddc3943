/** controlCommands: finds the command that a line names, and checks its fields. */
import { CommandError } from '../command-error.ts';
import { provokeFault, requestReset } from './act-commands.ts';
import type { ControlledMachine } from './controlled-machine.ts';
import { type JsonObject, JsonReader } from './json-reader.ts';
import { dump, list, stat } from './look-commands.ts';
import { addRules, clearRules, listRules } from './rule-commands.ts';
import { translate } from './translate-command.ts';

type ControlCommand = (target: ControlledMachine, fields: JsonReader) => unknown;

const COMMANDS: Readonly<Record<string, ControlCommand>> = {
  list,
  stat,
  dump,
  translate,
  fault: changing(provokeFault),
  reset: changing(requestReset),
  inject: changing(addRules),
  rules: listRules,
  clear: clearRules,
  /** Has no effect on the machine; the server remembers who watches. */
  watch: () => ({ watching: true }),
};

/** @throws {CommandError} with what the client is told */
export function carryOutControl(target: ControlledMachine, request: JsonObject): unknown {
  const { command } = request;
  if (typeof command !== 'string' || !Object.hasOwn(COMMANDS, command)) {
    throw new CommandError(`"command" has to be one of ${Object.keys(COMMANDS).join(', ')}`);
  }
  const fields = new JsonReader(request, command);
  fields.text('command');
  fields.optional('id', () => undefined);
  return COMMANDS[command]!(target, fields);
}

function changing(command: ControlCommand): ControlCommand {
  return (target, fields) => {
    if (target.isRecorded) {
      throw new CommandError(
        'the server records a trace, and this would not be in it: serve without --record',
      );
    }
    return command(target, fields);
  };
}
