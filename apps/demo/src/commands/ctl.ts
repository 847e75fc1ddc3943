/** `viommu ctl`: looks into the IOMMUs of a running `viommu serve`, and has them fail. */
import { join } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { CommandError } from '../command-error.ts';
import type { runControl } from '../ctl/run-control.ts';
import { readRulesFile } from '../inject/read-rules-file.ts';
import { parseCount } from './parse-count.ts';

interface CtlOptions {
  readonly socketDir: string;
  readonly json?: boolean;
  readonly iommu?: number;
  readonly write?: boolean;
}

export function addCtlCommand(program: Command): void {
  const ctl = program
    .command('ctl')
    .description('look into the IOMMUs of a running viommu serve, and have them fail')
    .helpCommand(false)
    .requiredOption('--socket-dir <dir>', 'the folder that viommu serve was given')
    .option('--json', 'what the server answers, as one line or one line each')
    .argument('[command]')
    .action((name: string | undefined) => {
      const names = ctl.commands.map((command) => command.name());
      const known = names.join(', ').replace(/, (\w+)$/, ' or $1');
      const problem = name === undefined ? 'say what to do' : `there is no '${name}'; there is`;
      throw new CommandError(`ctl: ${problem}: ${known}`);
    });
  const add = (name: string, description: string) => ctl.command(name).description(description);
  const withIommu = (command: Command) =>
    command.option('--iommu <number>', 'which IOMMU, when there are several', parseCount);
  const withAccess = (command: Command) =>
    withIommu(command)
      .argument('<endpoint>', 'PCI address of the device, or the number of the endpoint')
      .argument('<address>', 'as the device has it, such as 0x1000', parseNumber)
      .option('--write', 'a write and not a read');

  add('list', 'IOMMUs, endpoints, and who is in which domain').action((_, command) =>
    run(command, 'list'),
  );
  add('stat', 'requests by kind, bytes and faults').action((_, command) => run(command, 'stat'));
  withIommu(add('dump', 'what is mapped in a domain'))
    .argument('<domain>', 'its number', parseNumber)
    .action((domain, _, command) => run(command, 'dump', { domain }));
  withAccess(
    add('translate', 'what an access would come to, through each stage; nothing happens'),
  ).action((endpoint, address, _, command) => run(command, 'translate', { endpoint, address }));
  add('watch', 'each request, attach, detach, fault and injection, until interrupted').action(
    (_, command) => run(command, 'watch'),
  );
  withAccess(
    add('fault', 'has a device try what it may not; the guest gets a fault report'),
  ).action((endpoint, address, _, command) => run(command, 'fault', { endpoint, address }));
  withIommu(
    add('reset', 'sets DEVICE_NEEDS_RESET and interrupts the guest, which decides what to do'),
  ).action((_, command) => run(command, 'reset'));
  add('inject', 'adds rules of fault injection')
    .argument(
      '<rules...>',
      'a rule such as {"do":"status","status":"NOMEM","request":"MAP"}, or @FILE',
    )
    .action((texts: readonly string[], _, command) =>
      run(command, 'inject', { rules: texts.flatMap(readRules) }),
    );
  add('rules', 'the rules, and how often each did something').action((_, command) =>
    run(command, 'rules'),
  );
  add('clear', 'removes a rule, or all')
    .argument('[rule]', 'its number', parseCount)
    .action((rule, _, command) => run(command, 'clear', rule === undefined ? {} : { rule }));
}

async function run(
  command: Command,
  name: Parameters<typeof runControl>[1],
  fields: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  const { socketDir, json = false, iommu, write } = command.optsWithGlobals<CtlOptions>();
  const { runControl } = await import('../ctl/run-control.ts');
  await runControl(
    join(socketDir, 'control.sock'),
    name,
    {
      ...fields,
      ...(iommu === undefined ? {} : { iommu }),
      ...(write === true ? { access: 'write' } : {}),
    },
    { json, print: (text) => process.stdout.write(`${text}\n`) },
  );
}

function parseNumber(text: string): number {
  const number = /^(0x[0-9a-f]+|\d+)$/i.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(number)) return number;
  throw new InvalidArgumentError('It must be a number below 2^53, such as 4096 or 0x1000.');
}

function readRules(text: string): readonly unknown[] {
  if (text.startsWith('@')) return readRulesFile('inject', text.slice(1));
  try {
    return [JSON.parse(text)];
  } catch {
    throw new CommandError(`inject: '${text}' is no JSON object, such as {"do":"drop-event"}`);
  }
}
