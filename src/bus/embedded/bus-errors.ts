import { TroupeError } from '../../core/errors.ts';

/** Every call after `close`. */
export function closedError(): TroupeError {
  return new TroupeError('TRP_BUS_CLOSED', 'The bus is closed.');
}

/** A call whose time is over while there is no connection. */
export function disconnectedError(): TroupeError {
  return new TroupeError('TRP_BUS_DISCONNECTED', 'There is no connection to the bus.', {
    errorClass: 'transient',
  });
}

/** Something bounded that has no room. */
export function fullError(what: string, limit: number): TroupeError {
  return new TroupeError('TRP_BUS_FULL', `${what} is full: ${limit} wait already.`, {
    errorClass: 'transient',
  });
}

/** A write that expected another last change. */
export function conflictError(what: string, expected: number, last: number): TroupeError {
  return new TroupeError(
    'TRP_BUS_CONFLICT',
    `${what} was expected at ${expected} and stands at ${last}.`,
  );
}
