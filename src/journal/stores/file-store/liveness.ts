import { readFile } from 'node:fs/promises';
import { systemCode } from './system-calls.ts';

/**
 * What a process is known by. A process id alone is not enough: it is given to another process after the
 * first has died. Empty where the system does not tell.
 */
export interface ProcessIdentity {
  readonly pid: number;
  /** Start in clock ticks since boot: field 22 of /proc/<pid>/stat, see proc(5). */
  readonly start: string;
  /** The boot that `start` counts from. */
  readonly boot: string;
}

/** This process. */
export async function thisProcess(): Promise<ProcessIdentity> {
  const { start } = await statOf(process.pid);
  return { pid: process.pid, start, boot: await bootId() };
}

/** Whether that very process still runs. A zombie has ended. */
export async function isAlive(identity: ProcessIdentity): Promise<boolean> {
  if (identity.start === '') return respondsToSignal(identity.pid);
  if (identity.boot !== (await bootId())) return false;
  const { start, state } = await statOf(identity.pid);
  return start === identity.start && state !== 'Z' && state !== 'X';
}

/** The program's name stands in parentheses and may hold any character, so the fields begin after the last one. */
async function statOf(pid: number): Promise<{ readonly state: string; readonly start: string }> {
  const text = await textOf(`/proc/${pid}/stat`);
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? '', start: fields[19] ?? '' };
}

async function bootId(): Promise<string> {
  return (await textOf('/proc/sys/kernel/random/boot_id')).trim();
}

async function textOf(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}

/** Signal 0 asks without touching; a refusal means that the process is there and belongs to somebody else. */
function respondsToSignal(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return systemCode(error) === 'EPERM';
  }
}
