import type { Command } from 'commander';
import type { ServeOptions } from './commands/serve.ts';
import { collect, duration, oneOf, orWord, wholeNumber } from './option-values.ts';
import type { Shell } from './shell.ts';

/** Where a command line meets its commands. */
interface Wiring {
  readonly program: Command;
  readonly shell: Shell;
  readonly finish: (exitCode: number) => void;
}

const serveExamples = `
Examples:
  $ troupe serve --nats nats://127.0.0.1:4222
  $ troupe serve --nats nats://a:4222,nats://b:4222 --concurrency 32 --health-port 8080
  $ troupe serve --data .troupe
`;

/** Adds `troupe serve`. */
export function addServe({ program, shell, finish }: Wiring): void {
  program
    .command('serve')
    .description(
      'carry runs that were submitted, or whose process has died, until a signal ends it',
    )
    .option(
      '--nats <url>',
      'servers that hold queue and journals: nats://host:4222, several with commas',
    )
    .option('--bus <bus>', 'the same as --nats (default: TROUPE_BUS)')
    .option('--data <folder>', 'without servers: folder whose orphaned runs are carried on')
    .option(
      '--concurrency <number>',
      'attempts at one time, or auto (default: 16)',
      orWord('auto', wholeNumber('--concurrency', 1)),
    )
    .option('--runs <number>', 'runs at one time (default: 64)', wholeNumber('--runs', 1))
    .option('--resource <kind=units>', 'units that all runs share, e.g. gpu=2; repeatable', collect)
    .option(
      '--server-sync <how>',
      'always: the servers are set up with sync_interval: always',
      oneOf('--server-sync', ['always']),
    )
    .option(
      '--lease <duration>',
      'others take runs over after so long without a sign of life (default: 10s)',
      duration('--lease'),
    )
    .option(
      '--retain <duration>',
      'remove runs from the servers that ended so long ago (default: they stay)',
      duration('--retain'),
    )
    .option('--ns <namespace>', 'namespace on the bus (default: default)')
    .option(
      '--health-port <port>',
      'serve /healthz and /readyz on this port; 0: any free one',
      wholeNumber('--health-port', 0),
    )
    .option('--health-host <address>', 'address of that port (default: 127.0.0.1)')
    .option(
      '--drain <duration>',
      'how long runs may go on here after a signal (default: they are handed over at once)',
      duration('--drain'),
    )
    .addHelpText('after', serveExamples)
    .action(async (options: ServeOptions) =>
      finish(await (await import('./commands/serve.ts')).serve(shell, options)),
    );
}

/** Adds where journals are to a command that carries runs. */
export function journalOptions(command: Command): Command {
  return command
    .option(
      '--journal <place>',
      'where the journal is: file or bus (default: TROUPE_JOURNAL, else file)',
      oneOf('--journal', ['file', 'bus']),
    )
    .option(
      '--server-sync <how>',
      'with journals on the bus: always, if the servers sync before they answer',
      oneOf('--server-sync', ['always']),
    );
}

/** Adds the bus to a command that looks at runs. */
export function journalBusOption(command: Command): Command {
  return command.option(
    '--bus <bus>',
    'runs whose journals are on this bus, such as nats://host:4222',
  );
}
