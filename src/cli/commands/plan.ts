import { exitCodes } from '../exit-codes.ts';
import { faultLines } from '../failures.ts';
import { writeJson, writeLines } from '../output.ts';
import { painter } from '../render/painter.ts';
import { wrapped } from '../render/width.ts';
import type { Shell } from '../shell.ts';
import { openWorkflowFile } from '../workflow-file.ts';

/** `troupe plan FILE`: the predicted run, and why it is as it is. */
export async function plan(
  shell: Shell,
  file: string,
  options: { readonly json?: boolean },
): Promise<number> {
  const { warnings, workflow } = await openWorkflowFile(shell, file);
  const { planWorkflow } = await import('../../planning/plan.ts');
  const planned = planWorkflow(workflow);
  if (options.json === true) {
    writeJson(shell, { format: 1, ...planned });
    return exitCodes.ok;
  }
  for (const line of faultLines(warnings, painter(shell.colours.err), 'warning'))
    shell.err(`${line}\n`);
  const { explainPlan } = await import('../../planning/explain.ts');
  const columns = shell.outIsTerminal() ? shell.outColumns() : Number.POSITIVE_INFINITY;
  const text = explainPlan(planned, columns);
  writeLines(
    shell,
    text.split('\n').flatMap((line) => wrapped(line, columns)),
  );
  return exitCodes.ok;
}
