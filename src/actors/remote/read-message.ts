import { TroupeError } from '../../core/errors.ts';
import type { Plain, PlainObject } from '../../core/plain.ts';
import type { Assignment, Heartbeat, HostMessage, HostOrder } from './messages.ts';
import type { Label } from './label.ts';
import { workProtocol } from './messages.ts';

/** Foreign messages: what is not of this protocol is refused before anything acts on it. */

type Kinds = { readonly [type: string]: readonly (readonly [field: string, is: Check])[] };
type Check = (value: Plain | undefined) => boolean;

const isText: Check = (value) => typeof value === 'string' && value !== '';
const isCount: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const isMapping: Check = (value) =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof Uint8Array);
const isList: Check = (value) => Array.isArray(value);
const isFlag: Check = (value) => typeof value === 'boolean';
const isThere: Check = (value) => value !== undefined;

const labelFields = [
  ['run', isText],
  ['task', isText],
  ['operation', isText],
  ['attempt', isCount],
  ['epoch', isCount],
] as const;

const hostKinds: Kinds = {
  result: [
    ['output', isThere],
    ['changes', isList],
  ],
  failure: [['error', isMapping]],
  step: [
    ['name', isText],
    ['value', isThere],
  ],
  claim: [],
  handed_back: [],
  progress: [['progress', isMapping]],
  spent: [['spent', isMapping]],
};

const orderKinds: Kinds = {
  report: [],
  abort: [...labelFields, ['error', isMapping]],
  adopt: [...labelFields, ['was', isCount]],
  begin: [['assignment', isMapping]],
};

const heartbeatFields = [
  ['host', isText],
  ['pools', isList],
  ['slots', isCount],
  ['free', isCount],
  ['draining', isFlag],
  ['attempts', isList],
] as const;

/**
 * An assignment off the network.
 * @throws TroupeError TRP_WORK_PROTOCOL
 */
export function readAssignment(payload: Plain): Assignment {
  const message = checked(payload, 'an assignment', { assignment: labelFields });
  check(message, 'an assignment', [
    ['pool', isText],
    ['level', isText],
    ['request', isMapping],
    ['memory', isMapping],
  ]);
  check(message['request'] as PlainObject, 'the request of an assignment', [
    ['agent', isMapping],
    ['iteration', isCount],
    ['steps', isMapping],
    ['input', isThere],
    ['seed', isCount],
  ]);
  check(message['memory'] as PlainObject, 'the memory of an assignment', [
    ['revision', isCount],
    ['entries', isList],
  ]);
  return message as unknown as Assignment;
}

/** What a host says of an attempt. @throws TroupeError TRP_WORK_PROTOCOL */
export function readHostMessage(payload: Plain): HostMessage {
  const message = checked(payload, 'a message of a worker host', hostKinds);
  check(message, 'a message of a worker host', [...labelFields, ['host', isText]]);
  return message as unknown as HostMessage;
}

/** An order to a host. @throws TroupeError TRP_WORK_PROTOCOL */
export function readOrder(payload: Plain): HostOrder {
  return checked(payload, 'an order to a worker host', orderKinds) as unknown as HostOrder;
}

/** A sign of life. @throws TroupeError TRP_WORK_PROTOCOL */
export function readHeartbeat(payload: Plain): Heartbeat {
  const kinds = { heartbeat: heartbeatFields };
  return checked(payload, 'a sign of life', kinds) as unknown as Heartbeat;
}

/** The label of a message that may be of a newer protocol; undefined: it has none. */
export function readLabel(payload: Plain): Label | undefined {
  if (!isMapping(payload)) return undefined;
  const message = payload as PlainObject;
  return labelFields.every(([field, is]) => is(own(message, field)))
    ? (message as unknown as Label)
    : undefined;
}

function checked(payload: Plain, what: string, kinds: Kinds): PlainObject {
  if (!isMapping(payload)) throw refusal(`${what} is no mapping`);
  const message = payload as PlainObject;
  const protocol = own(message, 'protocol');
  if (!isCount(protocol) || (protocol as number) < 1) throw refusal(`${what} names no protocol`);
  if ((protocol as number) > workProtocol) throw newer(what, protocol as number);
  const type = own(message, 'type');
  const fields = typeof type === 'string' && Object.hasOwn(kinds, type) ? kinds[type] : undefined;
  if (!fields) throw refusal(`${what} is of the unknown type ${JSON.stringify(type)}`);
  check(message, what, fields);
  return message;
}

function check(
  message: PlainObject,
  what: string,
  fields: readonly (readonly [field: string, is: Check])[],
): void {
  for (const [field, is] of fields)
    if (!is(own(message, field))) throw refusal(`${field} of ${what} is missing or malformed`);
}

function own(message: PlainObject, field: string): Plain | undefined {
  return Object.hasOwn(message, field) ? message[field] : undefined;
}

function refusal(fault: string): TroupeError {
  const text = fault.charAt(0).toUpperCase() + fault.slice(1);
  return new TroupeError('TRP_WORK_PROTOCOL', `${text}.`);
}

function newer(what: string, protocol: number): TroupeError {
  const text = what.charAt(0).toUpperCase() + what.slice(1);
  return new TroupeError(
    'TRP_WORK_PROTOCOL',
    `${text} is of work protocol ${protocol}; this process reads 1 to ${workProtocol}.`,
    { hint: 'Update the older of the two: worker hosts first, then the processes that own runs.' },
  );
}
