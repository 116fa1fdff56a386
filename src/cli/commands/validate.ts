import { exitCodes } from '../exit-codes.ts';
import { faultLines } from '../failures.ts';
import { writeJson, writeLines } from '../output.ts';
import { painter } from '../render/painter.ts';
import { counted } from '../render/shapes.ts';
import type { Shell } from '../shell.ts';
import { checkWorkflowFile } from '../workflow-file.ts';
import type { CheckedFile } from '../workflow-file.ts';

/** `troupe validate FILE`: every fault and warning with its place. */
export async function validate(
  shell: Shell,
  file: string,
  options: { readonly json?: boolean },
): Promise<number> {
  const checked = await checkWorkflowFile(shell, file);
  const valid = checked.faults.length === 0;
  if (options.json === true) {
    writeJson(shell, { format: 1, valid, faults: checked.faults, warnings: checked.warnings });
  } else writeLines(shell, textLines(shell, file, checked));
  return valid ? exitCodes.ok : exitCodes.invalid;
}

function textLines(
  shell: Shell,
  file: string,
  { faults, warnings, workflow }: CheckedFile,
): readonly string[] {
  const paint = painter(shell.colours.out);
  const counts = `${counted(faults.length, 'fault')}, ${counted(warnings.length, 'warning')}`;
  const size = workflow
    ? `${counted(workflow.tasks.length, 'task')}, ${counted(workflow.groups.length, 'group')}`
    : '';
  return [
    ...faultLines(faults, paint, 'error'),
    ...faultLines(warnings, paint, 'warning'),
    workflow
      ? `${paint.good('valid')}  ${file}  ${size}; ${counts}`
      : `${paint.bad('invalid')}  ${file}  ${counts}`,
  ];
}
