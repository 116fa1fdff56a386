import { readFile } from 'node:fs/promises';
import { systemCode } from './system-calls.js';
/** This process. */
export async function thisProcess() {
  const { start } = await statOf(process.pid);
  return { pid: process.pid, start, boot: await bootId() };
}
/** Whether that very process still runs. A zombie has ended. */
export async function isAlive(identity) {
  if (identity.start === '') return respondsToSignal(identity.pid);
  if (identity.boot !== (await bootId())) return false;
  const { start, state } = await statOf(identity.pid);
  return start === identity.start && state !== 'Z' && state !== 'X';
}
/** The program's name stands in parentheses and may hold any character, so the fields begin after the last one. */
async function statOf(pid) {
  const text = await textOf(`/proc/${pid}/stat`);
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? '', start: fields[19] ?? '' };
}
async function bootId() {
  return (await textOf('/proc/sys/kernel/random/boot_id')).trim();
}
async function textOf(path) {
  return readFile(path, 'utf8').catch(() => '');
}
/** Signal 0 asks without touching; a refusal means that the process is there and belongs to somebody else. */
function respondsToSignal(pid) {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return systemCode(error) === 'EPERM';
  }
}
