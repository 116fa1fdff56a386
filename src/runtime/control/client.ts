import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { systemClock } from '../../core/clock.ts';
import { TroupeError, messageOf } from '../../core/errors.ts';
import type { Plain } from '../../core/plain.ts';
import { findControlPath } from './address.ts';
import { maxAnswerBytes, parseAnswer } from './answer.ts';
import type { ControlAnswer } from './answer.ts';
import { jsonLine } from './json.ts';
import { LineCutter } from './lines.ts';
import { maxRequestBytes } from './request.ts';

/** How long a live process may take to accept a connection before it counts as dead. */
const probeTimeoutMs = 1000;

const defaultTimeoutMs = 5000;

/** Who is asked what. */
export interface AskControlOptions {
  readonly dataDir: string;
  /** The node that is asked. */
  readonly node: string;
  readonly verb: string;
  /** Default: none, for verbs that concern the whole process. */
  readonly run?: string;
  readonly payload?: Plain;
  /** From the call to the answer. Default 5 s. */
  readonly timeoutMs?: number;
}

/**
 * Asks the process that serves a node.
 * @throws TroupeError with the code that the owner answered; TRP_CONTROL_UNREACHABLE when nobody listens,
 *   the connection breaks, or no answer came within the time; TRP_CONTROL_REQUEST when the request is too long.
 */
export async function askControl(options: AskControlOptions): Promise<Plain> {
  const { verb, run = '', payload = null, timeoutMs = defaultTimeoutMs } = options;
  const request = jsonLine({ id: '1', verb, run, payload });
  if (Buffer.byteLength(request) > maxRequestBytes) {
    throw new TroupeError(
      'TRP_CONTROL_REQUEST',
      `a control request may have ${maxRequestBytes} bytes at most`,
    );
  }
  const path = await findControlPath(options.dataDir, options.node);
  const answer = await exchange({ path, request, timeoutMs, node: options.node });
  if (answer.ok) return answer.payload;
  throw new TroupeError(answer.error.code, answer.error.message, { hint: answer.error.hint });
}

/** Whether somebody accepts connections at a path. */
export async function isAnswering(path: string): Promise<boolean> {
  const socket = connect(path);
  try {
    return await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
      socket.setTimeout(probeTimeoutMs, () => resolve(false));
    });
  } finally {
    socket.destroy();
  }
}

interface Exchange {
  readonly path: string;
  readonly node: string;
  readonly request: string;
  readonly timeoutMs: number;
}

async function exchange({ path, node, request, timeoutMs }: Exchange): Promise<ControlAnswer> {
  const socket = connect(path);
  let timer: unknown;
  try {
    return await new Promise<ControlAnswer>((resolve, reject) => {
      const fail = (why: string): void => reject(unreachable(node, why));
      timer = systemClock.setTimeout(() => fail(`no answer within ${timeoutMs} ms`), timeoutMs);
      socket.once('error', (error) => fail(messageOf(error)));
      socket.once('close', () => fail('the connection was closed before the answer'));
      socket.once('connect', () => socket.write(request));
      readAnswer(socket, resolve, reject);
    });
  } finally {
    systemClock.clearTimeout(timer);
    socket.destroy();
  }
}

function readAnswer(
  socket: Socket,
  resolve: (answer: ControlAnswer) => void,
  reject: (error: unknown) => void,
): void {
  const cutter = new LineCutter(maxAnswerBytes);
  socket.on('data', (chunk: Buffer) => {
    try {
      const [line] = cutter.push(chunk) ?? [''];
      if (line !== undefined) resolve(parseAnswer(line));
    } catch (thrown) {
      reject(thrown);
    }
  });
}

function unreachable(node: string, why: string): TroupeError {
  return new TroupeError(
    'TRP_CONTROL_UNREACHABLE',
    `the process that owns it (${node}) does not answer: ${why}`,
    {
      errorClass: 'transient',
    },
  );
}
