import { TroupeError } from '../../core/errors.js';
import { workProtocol } from './messages.js';
const isText = (value) => typeof value === 'string' && value !== '';
const isCount = (value) => Number.isSafeInteger(value) && value >= 0;
const isMapping = (value) =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof Uint8Array);
const isList = (value) => Array.isArray(value);
const isFlag = (value) => typeof value === 'boolean';
const isThere = (value) => value !== undefined;
const labelFields = [
  ['run', isText],
  ['task', isText],
  ['operation', isText],
  ['attempt', isCount],
  ['epoch', isCount],
];
const hostKinds = {
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
const orderKinds = {
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
];
/**
 * An assignment off the network.
 * @throws TroupeError TRP_WORK_PROTOCOL
 */
export function readAssignment(payload) {
  const message = checked(payload, 'an assignment', { assignment: labelFields });
  check(message, 'an assignment', [
    ['pool', isText],
    ['level', isText],
    ['request', isMapping],
    ['memory', isMapping],
  ]);
  check(message['request'], 'the request of an assignment', [
    ['agent', isMapping],
    ['iteration', isCount],
    ['steps', isMapping],
    ['input', isThere],
    ['seed', isCount],
  ]);
  check(message['memory'], 'the memory of an assignment', [
    ['revision', isCount],
    ['entries', isList],
  ]);
  return message;
}
/** What a host says of an attempt. @throws TroupeError TRP_WORK_PROTOCOL */
export function readHostMessage(payload) {
  const message = checked(payload, 'a message of a worker host', hostKinds);
  check(message, 'a message of a worker host', [...labelFields, ['host', isText]]);
  return message;
}
/** An order to a host. @throws TroupeError TRP_WORK_PROTOCOL */
export function readOrder(payload) {
  return checked(payload, 'an order to a worker host', orderKinds);
}
/** A sign of life. @throws TroupeError TRP_WORK_PROTOCOL */
export function readHeartbeat(payload) {
  const kinds = { heartbeat: heartbeatFields };
  return checked(payload, 'a sign of life', kinds);
}
/** The label of a message that may be of a newer protocol; undefined: it has none. */
export function readLabel(payload) {
  if (!isMapping(payload)) return undefined;
  const message = payload;
  return labelFields.every(([field, is]) => is(own(message, field))) ? message : undefined;
}
function checked(payload, what, kinds) {
  if (!isMapping(payload)) throw refusal(`${what} is no mapping`);
  const message = payload;
  const protocol = own(message, 'protocol');
  if (!isCount(protocol) || protocol < 1) throw refusal(`${what} names no protocol`);
  if (protocol > workProtocol) throw newer(what, protocol);
  const type = own(message, 'type');
  const fields = typeof type === 'string' && Object.hasOwn(kinds, type) ? kinds[type] : undefined;
  if (!fields) throw refusal(`${what} is of the unknown type ${JSON.stringify(type)}`);
  check(message, what, fields);
  return message;
}
function check(message, what, fields) {
  for (const [field, is] of fields)
    if (!is(own(message, field))) throw refusal(`${field} of ${what} is missing or malformed`);
}
function own(message, field) {
  return Object.hasOwn(message, field) ? message[field] : undefined;
}
function refusal(fault) {
  const text = fault.charAt(0).toUpperCase() + fault.slice(1);
  return new TroupeError('TRP_WORK_PROTOCOL', `${text}.`);
}
function newer(what, protocol) {
  const text = what.charAt(0).toUpperCase() + what.slice(1);
  return new TroupeError(
    'TRP_WORK_PROTOCOL',
    `${text} is of work protocol ${protocol}; this process reads 1 to ${workProtocol}.`,
    { hint: 'Update the older of the two: worker hosts first, then the processes that own runs.' },
  );
}
