import { TroupeError } from '../core/errors.ts';
import type { Fault } from './fault.ts';

/** A fault on one line: `flow.yaml:4:7: message (hint)`. */
export function faultText(fault: Fault): string {
  return `${faultPlace(fault)}: ${fault.message} (${fault.hint})`;
}

/** The error that stands for a list of faults: the code and place of the first, the texts of all. */
export function faultsError(faults: readonly [Fault, ...Fault[]]): TroupeError {
  const [first] = faults;
  const others = faults.length === 1 ? '' : `\n${faults.slice(1).map(faultText).join('\n')}`;
  return new TroupeError(first.code, `${first.message}${others}`, {
    place: faultPlace(first),
    hint: first.hint,
  });
}

function faultPlace(fault: Fault): string {
  const file = fault.file === '' ? 'workflow' : fault.file;
  if (fault.line > 0) return `${file}:${fault.line}:${fault.column}`;
  return fault.path === '' ? file : `${file} at ${fault.path}`;
}
