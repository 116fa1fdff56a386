import { Command } from 'commander';
import type { AnswerOptions } from './commands/answer.ts';
import type { DoctorOptions } from './commands/doctor.ts';
import type { GraphOptions } from './commands/graph.ts';
import type { PlanCommandOptions } from './commands/plan.ts';
import type { PruneOptions } from './commands/prune.ts';
import type { ResumeOptions } from './commands/resume.ts';
import type { RunCommandOptions } from './commands/run.ts';
import type { ShowOptions } from './commands/show.ts';
import { collect, duration, oneOf, orWord, wholeNumber } from './option-values.ts';
import { levels } from './options.ts';
import type { DataOptions } from './options.ts';
import type { WorkerCommandOptions } from './commands/worker.ts';
import { addRecovery } from './recovery-commands.ts';
import { addServe, journalBusOption, journalOptions } from './service-commands.ts';
import type { Shell } from './shell.ts';

/** Takes in what a command ends with. */
type Finish = (exitCode: number) => void;

type JsonOption = { readonly json?: boolean };

/** Where a command line meets its command. Each command's module loads when it is used, so that help stays cheap. */
interface Wiring {
  readonly program: Command;
  readonly shell: Shell;
  readonly finish: Finish;
}

/** The command line of `troupe`. Nothing in it writes, ends the process or loads more than itself. */
export function buildProgram(shell: Shell, version: string, finish: Finish): Command {
  const program = new Command('troupe')
    .description(
      'Run many LLM agents and workers in parallel, under supervision, without losing finished work.',
    )
    .version(version)
    .exitOverride()
    .configureOutput({ writeOut: (text) => shell.out(text), writeErr: () => undefined })
    .addHelpText(
      'after',
      examples('troupe init demo', 'troupe run demo/workflow.yaml', 'troupe runs') + exitCodeText,
    );
  const wiring = { program, shell, finish };
  addDocumentCommands(wiring);
  addRun(wiring);
  addRunCommands(wiring);
  addAnswer(wiring);
  addRecovery(wiring, {
    stored: storedRunOptions,
    engine: (command) => stayOption(journalOptions(engineOptions(outputOptions(command)))),
  });
  addDoctor(wiring);
  addWorker(wiring);
  addServe(wiring);
  return program;
}

const exitCodeText = `
Exit codes:
  0 succeeded, 1 failed, 2 invalid, 3 partial or paused, 4 cancelled, 124 deadline, 130 interrupted, 143 terminated
`;

/** What names a run. */
const runArgument = 'id of the run, its beginning or its end, or: last';

function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ ${line}`).join('\n')}\n`;
}

function addDocumentCommands({ program, shell, finish }: Wiring): void {
  program
    .command('init')
    .description('write a starter workflow and its functions; never overwrites')
    .argument('[folder]', 'where to', '.')
    .option('--json', 'print what was written as JSON')
    .addHelpText('after', examples('troupe init', 'troupe init demo'))
    .action(async (folder: string, options: JsonOption) =>
      finish(await (await import('./commands/init.ts')).init(shell, folder, options)),
    );
  program
    .command('validate')
    .description('check a workflow and name every fault with its place')
    .argument('<file>', 'workflow in YAML or JSON; - is standard input')
    .option('--json', 'print faults and warnings as JSON')
    .addHelpText(
      'after',
      examples('troupe validate workflow.yaml', 'troupe validate workflow.yaml --json'),
    )
    .action(async (file: string, options: JsonOption) =>
      finish(await (await import('./commands/validate.ts')).validate(shell, file, options)),
    );
  addPlan({ program, shell, finish });
  addGraph({ program, shell, finish });
}

function addPlan({ program, shell, finish }: Wiring): void {
  const rules = ['document_order', 'longest_first', 'longest_path'] as const;
  program
    .command('plan')
    .description('predict a run: order, critical path, slack, what runs together and why not')
    .argument('<file>', 'workflow in YAML or JSON; - is standard input')
    .option('--json', 'print the plan as JSON')
    .option('--svg <file>', 'draw the plan to a file')
    .option('--budget <number>', 'schedules to try at most', wholeNumber('--budget', 1))
    .option('--seed <number>', 'seed of the search', wholeNumber('--seed', 0))
    .option('--rule <rule>', `follow a plain rule: ${rules.join(', ')}`, oneOf('--rule', rules))
    .option('--data <folder>', 'where runs, and the durations they have shown, are kept')
    .option('--bus <url>', 'tell which remote pools have worker hosts on this NATS server')
    .option('--ns <namespace>', 'namespace on the bus (default: default)')
    .addHelpText(
      'after',
      examples('troupe plan workflow.yaml', 'troupe plan workflow.yaml --svg plan.svg'),
    )
    .action(async (file: string, options: PlanCommandOptions) =>
      finish(await (await import('./commands/plan.ts')).plan(shell, file, options)),
    );
}

function addGraph({ program, shell, finish }: Wiring): void {
  const formats = ['mermaid', 'dot', 'json'] as const;
  program
    .command('graph')
    .description('draw a workflow, or the state machines that Troupe runs by')
    .argument('[file]', 'workflow; with --machines the name of one machine')
    .option('--machines', 'draw state machines')
    .option(
      '--format <format>',
      `one of ${formats.join(', ')} (default: mermaid)`,
      oneOf('--format', formats),
    )
    .addHelpText(
      'after',
      examples(
        'troupe graph workflow.yaml',
        'troupe graph workflow.yaml --format dot | dot -Tsvg > workflow.svg',
        'troupe graph --machines',
      ),
    )
    .action(async (file: string | undefined, options: GraphOptions) =>
      finish(await (await import('./commands/graph.ts')).graph(shell, file, options)),
    );
}

function addRun({ program, shell, finish }: Wiring): void {
  const command = program.command('run').description('run a workflow and follow it to its end');
  command
    .argument('<file>', 'workflow in YAML or JSON; - is standard input')
    .option(
      '-i, --input <input>',
      'key=value (the value JSON if it parses) or a JSON object; may be repeated',
      collect,
    )
    .option('--input-file <file>', 'JSON or YAML with the input; - is JSON on standard input')
    .option('--simulate', 'let every task only take its time, calling no agent')
    .option('--seed <number>', 'seed of every random choice', wholeNumber('--seed', 0))
    .option(
      '--deadline <duration>',
      'end the run after so long, such as 90s or 1h',
      duration('--deadline'),
    )
    .option('--submit', 'hand the run to whichever process serves the bus, and print its id')
    .option('--wait', 'with --submit: follow the run to its end')
    .option('--id <id>', 'with --submit: id of the run; a second submission of it is the same run');
  stayOption(journalOptions(engineOptions(outputOptions(command))))
    .addHelpText(
      'after',
      examples(
        'troupe run workflow.yaml',
        'troupe run workflow.yaml --input topic=boats --input count=3',
        'troupe run workflow.yaml --simulate --seed 7 --json',
        'troupe run workflow.yaml --submit --bus nats://127.0.0.1:4222',
      ),
    )
    .action(async (file: string, options: RunCommandOptions) =>
      finish(await (await import('./commands/run.ts')).run(shell, file, options)),
    );
}

function addRunCommands({ program, shell, finish }: Wiring): void {
  storedRunOptions(
    program.command('runs').description('list the runs of a data folder, newest first'),
  )
    .option('--json', 'print them as JSON')
    .option('--prune', 'delete runs that have ended, with all that is kept of them')
    .option('--delete <run>', 'delete one run that nobody carries, with all that is kept of it')
    .option('--older-than <duration>', 'prune what ended so long ago', duration('--older-than'))
    .option('--keep <number>', 'prune all but so many', wholeNumber('--keep', 0))
    .option('--dry-run', 'delete nothing, only tell')
    .addHelpText(
      'after',
      examples(
        'troupe runs',
        'troupe runs --json',
        'troupe runs --prune --older-than 7d --keep 20',
      ),
    )
    .action(async (options: DataOptions & JsonOption & PruneOptions) => {
      const { removeRuns, removesRuns } = await import('./commands/prune.ts');
      if (removesRuns(options)) return finish(await removeRuns(shell, options));
      finish(await (await import('./commands/runs.ts')).runs(shell, options));
    });
  storedRunOptions(program.command('show').description('tell a run as its journal has it'))
    .argument('[run]', `${runArgument}; none: --dead-letters of a bus`)
    .option('--json', "print the run's report as JSON")
    .option('--tasks', 'every task and the timeline, however many there are')
    .option('--records', "the journal's records")
    .option('--conflicts', 'writes that met, what was dropped, and what is open')
    .option('--dead-letters', 'what could be neither delivered nor applied, and why')
    .addHelpText(
      'after',
      examples('troupe show last', 'troupe show run-0mh --tasks', 'troupe show run-0mh --json'),
    )
    .action(async (run: string | undefined, options: ShowOptions) =>
      finish(await (await import('./commands/show.ts')).show(shell, run, options)),
    );
  const resume = program
    .command('resume')
    .description('go on with a run that was interrupted or did not succeed');
  stayOption(journalOptions(engineOptions(outputOptions(resume))))
    .argument('<run>', runArgument)
    .option('--accept-changes', 'go on with the document as it is now; what changed is done anew')
    .option('--workflow <file>', 'the document, where it is not where it was')
    .option('--strict', 'refuse when the document or the engine has changed')
    .addHelpText('after', examples('troupe resume last', 'troupe resume run-0mh --json'))
    .action(async (run: string, options: ResumeOptions) =>
      finish(await (await import('./commands/resume.ts')).resume(shell, run, options)),
    );
  storedRunOptions(program.command('cancel').description('cancel a run, whichever process owns it'))
    .argument('<run>', runArgument)
    .option('--json', 'print how the run stands as JSON')
    .addHelpText('after', examples('troupe cancel run-0mh'))
    .action(async (run: string, options: DataOptions & JsonOption) =>
      finish(await (await import('./commands/cancel.ts')).cancel(shell, run, options)),
    );
}

function stayOption(command: Command): Command {
  return command.option('--stay', 'stay while the run is paused, until somebody has it go on');
}

function addAnswer({ program, shell, finish }: Wiring): void {
  storedRunOptions(
    program.command('answer').description('answer a question of a run, or decide an open conflict'),
  )
    .argument('<run>', runArgument)
    .argument(
      '<answer...>',
      'number as in show or show --conflicts, then the choice: retry, skip, use_default, fail, cancel; theirs, mine',
    )
    .option('--value <json>', "the task's output, or a value instead of both")
    .option('--note <text>', 'why, for the journal')
    .option('--json', 'print what was decided as JSON')
    .addHelpText(
      'after',
      examples(
        'troupe answer last 42 retry',
        'troupe answer last 42 mine',
        `troupe answer last 42 --value '{"a":1}'`,
      ),
    )
    .action(async (run: string, [conflict = '', choice]: string[], options: AnswerOptions) =>
      finish(
        await (
          await import('./commands/answer.ts')
        ).answer(shell, { run, conflict, choice }, options),
      ),
    );
}

function addDoctor({ program, shell, finish }: Wiring): void {
  dataOption(
    program.command('doctor').description('look whether everything is there that runs need'),
  )
    .option('--bus <bus>', 'look at this NATS server as well (default: TROUPE_BUS)')
    .option('--ns <namespace>', 'namespace in which worker hosts are looked for (default: default)')
    .option('--json', 'print what was found as JSON')
    .addHelpText('after', examples('troupe doctor', 'troupe doctor --bus nats://127.0.0.1:4222'))
    .action(async (options: DoctorOptions) =>
      finish(await (await import('./commands/doctor.ts')).doctor(shell, options)),
    );
}

function addWorker({ program, shell, finish }: Wiring): void {
  program
    .command('worker')
    .description('carry out attempts for pools, on this host, until a signal ends it')
    .requiredOption('--pools <names>', 'pools to serve, with commas')
    .option('--bus <bus>', 'nats or nats://host:4222 (default: TROUPE_BUS)')
    .option('--nats <url>', 'the same as --bus')
    .option('--ns <namespace>', 'namespace on the bus (default: default)')
    .option(
      '--concurrency <number>',
      'attempts at one time (default: 4)',
      wholeNumber('--concurrency', 1),
    )
    .option('--functions <module>', 'module whose exports are the functions host:NAME')
    .option('--base-dir <folder>', 'folder whose modules may be loaded (default: none)')
    .option('--allow-commands', 'agents may run any program here')
    .option(
      '--health-port <port>',
      'serve /healthz and /readyz on this port',
      wholeNumber('--health-port', 0),
    )
    .option('--health-host <address>', 'address of that port (default: 127.0.0.1)')
    .option(
      '--drain-timeout <duration>',
      'how long a drain lets attempts go on (default: 30s)',
      duration('--drain-timeout'),
    )
    .addHelpText(
      'after',
      examples(
        'troupe worker --bus nats://127.0.0.1:4222 --pools gpu --functions agents.mjs',
        'troupe worker --pools cpu,gpu --concurrency 8 --health-port 8080',
      ),
    )
    .action(async (options: WorkerCommandOptions) =>
      finish(await (await import('./commands/worker.ts')).worker(shell, options)),
    );
}

function dataOption(command: Command): Command {
  return command.option(
    '--data <folder>',
    'folder of the runs (default: TROUPE_DATA, else .troupe)',
  );
}

/** Options of commands that look at runs, wherever these are kept. */
function storedRunOptions(command: Command): Command {
  return journalBusOption(dataOption(command));
}

function outputOptions(command: Command): Command {
  return command
    .option('--json', "print the run's report as one JSON object")
    .option('--jsonl', 'print every event as a line of JSON, the report last')
    .option('-q, --quiet', 'show no progress');
}

function engineOptions(command: Command): Command {
  return dataOption(command)
    .option(
      '--durability, --level <level>',
      'what finished work survives: memory, process or power',
      oneOf('--level', levels),
    )
    .option(
      '--concurrency <number>',
      'attempts at one time, or auto (default: 16)',
      orWord('auto', wholeNumber('--concurrency', 1)),
    )
    .option('--resource <kind=units>', 'units that all runs share, e.g. gpu=2; repeatable', collect)
    .option(
      '--bus <bus>',
      'embedded, nats or nats://host:4222 (default: TROUPE_BUS, else the document)',
    );
}
