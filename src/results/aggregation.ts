import { TroupeError } from '../core/errors.ts';
import type { Plain } from '../core/plain.ts';
import type { AggregateSpec } from '../workflow/model.ts';

/** One result made from the outputs of a group's members; a gap is null. */
export function aggregate(spec: AggregateSpec | undefined, outputs: readonly (Plain | null)[]): Plain {
  if (spec === undefined || spec.kind === 'list') return outputs;
  throw new TroupeError('TRP_INTERNAL', `Aggregation by ${spec.kind} is not carried out here.`);
}
