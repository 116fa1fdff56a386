import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { TroupeError, messageOf } from '../../core/errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { writeJson, writeLines } from '../output.ts';
import { painter } from '../render/painter.ts';
import type { Shell } from '../shell.ts';
import { starterModule, starterWorkflow } from '../starter.ts';

const files = [
  { name: 'workflow.yaml', text: starterWorkflow },
  { name: 'agents.mjs', text: starterModule },
] as const;

/**
 * `troupe init [FOLDER]`: writes a starter workflow and its functions.
 * @throws TroupeError TRP_OPTION_INVALID when one of the files is there already; then nothing is written.
 */
export async function init(
  shell: Shell,
  folder: string,
  options: { readonly json?: boolean },
): Promise<number> {
  const target = resolve(shell.cwd, folder);
  const taken = files.filter(({ name }) => existsSync(join(target, name)));
  if (taken.length > 0)
    throw occupied(
      taken.map(({ name }) => name),
      target,
    );
  try {
    await mkdir(target, { recursive: true });
    for (const { name, text } of files) await writeFile(join(target, name), text, { flag: 'wx' });
  } catch (thrown) {
    throw new TroupeError('TRP_OPTION_INVALID', `cannot write the starter: ${messageOf(thrown)}`, {
      place: target,
      cause: thrown,
    });
  }
  const written = files.map(({ name }) => relative(shell.cwd, join(target, name)) || name);
  if (options.json === true) writeJson(shell, { format: 1, written });
  else writeLines(shell, nextSteps(shell, written));
  return exitCodes.ok;
}

function occupied(names: readonly string[], place: string): TroupeError {
  const are = names.length === 1 ? 'is' : 'are';
  return new TroupeError(
    'TRP_OPTION_INVALID',
    `${names.join(' and ')} ${are} there already; init never overwrites`,
    {
      place,
      hint: 'Name another folder: troupe init FOLDER.',
    },
  );
}

function nextSteps(shell: Shell, written: readonly string[]): readonly string[] {
  const paint = painter(shell.colours.out);
  const workflow = written[0] ?? '';
  return [
    ...written.map((path) => `${paint.good('wrote')}  ${path}`),
    '',
    'next:',
    `  troupe plan ${workflow}`,
    `  troupe run ${workflow} --input topic=lighthouses`,
  ];
}
