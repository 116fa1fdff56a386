import type { RunReport } from '../../runtime/report.ts';
import { oneLine } from './width.ts';

/** What a run has used, in a line, and one for each cap that was reached; nothing where nothing was reported. */
export function spendFacts({
  input_tokens: input,
  output_tokens: output,
  cost,
  exhausted,
}: RunReport['spend']): readonly string[] {
  const parts = [
    ...(input + output > 0 ? [`${input} tokens in, ${output} out`] : []),
    ...(cost > 0 ? [`cost ${Number(cost.toFixed(4))}`] : []),
  ];
  const caps = exhausted.map(({ cap, agent }) =>
    agent === null
      ? `the budget of ${cap} is spent`
      : `the budget of ${cap} of ${oneLine(agent)} is spent`,
  );
  return [...(parts.length > 0 ? [`used ${parts.join(', ')}`] : []), ...caps];
}
