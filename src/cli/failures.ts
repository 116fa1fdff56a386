import { TroupeError, errorCodes, errorInfo } from '../core/errors.ts';
import type { ErrorCode, ErrorInfo } from '../core/errors.ts';
import { jsonText } from '../runtime/control/json.ts';
import type { Fault } from '../workflow/fault.ts';
import { exitCodeOfError, exitCodes } from './exit-codes.ts';
import { ownHint } from './render/failed-tasks.ts';
import { painter } from './render/painter.ts';
import type { Painter } from './render/painter.ts';
import { oneLine } from './render/width.ts';
import type { Shell } from './shell.ts';

/** A document that cannot run: carries every fault to whoever prints them. */
export class InvalidWorkflow extends Error {
  override readonly name = 'InvalidWorkflow';
  readonly faults: readonly [Fault, ...Fault[]];

  constructor(faults: readonly [Fault, ...Fault[]]) {
    super(faults[0].message);
    this.faults = faults;
  }
}

/** Prints what a command threw, as text on standard error or as JSON on standard output; gives the exit code. */
export function reportFailure(shell: Shell, thrown: unknown, asJson: boolean): number {
  const info = failureInfo(thrown);
  if (asJson) shell.out(`${jsonText(failureJson(thrown, info))}\n`);
  else shell.err(failureText(thrown, info, painter(shell.colours.err)));
  return thrown instanceof InvalidWorkflow ? exitCodes.invalid : exitCodeOfError(info.code);
}

/** Faults or warnings as text, each with its place and what to do. */
export function faultLines(
  faults: readonly Fault[],
  paint: Painter,
  word: 'error' | 'warning',
): readonly string[] {
  const colour = word === 'error' ? paint.bad : paint.warn;
  return faults.flatMap((fault) => {
    const hint = ownHint(fault);
    return [
      `${paint.strong(placeOf(fault))}  ${colour(word)} ${colour(fault.code)}  ${oneLine(fault.message)}`,
      ...(hint === undefined ? [] : [paint.faint(`  next: ${oneLine(hint)}`)]),
    ];
  });
}

function placeOf({ column, file, line, path }: Fault): string {
  const name = oneLine(file === '' ? 'workflow' : file);
  if (line > 0) return `${name}:${line}:${column}`;
  return path === '' ? name : `${name} at ${oneLine(path)}`;
}

/** A stranger's error can only come from inside Troupe here, since agents' errors are data. */
function failureInfo(thrown: unknown): ErrorInfo & { readonly hint: string } {
  if (thrown instanceof InvalidWorkflow) {
    const [{ code, hint, message }, ...rest] = thrown.faults;
    const place = placeOf(thrown.faults[0]);
    return {
      code,
      message: rest.length === 0 ? message : `${message} (and ${rest.length} more)`,
      errorClass: 'permanent',
      place,
      hint,
    };
  }
  const info = errorInfo(thrown);
  const code: ErrorCode = thrown instanceof TroupeError ? info.code : 'TRP_INTERNAL';
  return { ...info, code, hint: info.hint ?? errorCodes[code] };
}

function failureJson(thrown: unknown, info: ErrorInfo): object {
  const { code, message, place = null, hint } = info;
  const faults = thrown instanceof InvalidWorkflow ? { faults: thrown.faults } : {};
  return { format: 1, error: { code, message, place, hint }, ...faults };
}

function failureText(thrown: unknown, info: ErrorInfo, paint: Painter): string {
  if (thrown instanceof InvalidWorkflow)
    return `${faultLines(thrown.faults, paint, 'error').join('\n')}\n`;
  const place = info.place === undefined ? '' : `\n  at ${oneLine(info.place)}`;
  const hint = ownHint(info);
  const next = hint === undefined ? '' : `\n  next: ${oneLine(hint)}`;
  return `${paint.bad(`error ${info.code}`)}: ${info.message}${place}${next}\n`;
}
