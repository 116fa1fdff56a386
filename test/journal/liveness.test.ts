import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { isAlive, thisProcess } from '../../src/journal/stores/file-store/liveness.ts';

/** State and start of a process as the system tells them. */
async function statOf(pid: number): Promise<{ state: string; start: string }> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? '', start: fields[19] ?? '' };
}

describe('a process', () => {
  it('is alive while it runs', async () => {
    expect(await isAlive(await thisProcess())).toBe(true);
  });

  it('is dead when its number now belongs to another, or the machine was started anew', async () => {
    const self = await thisProcess();
    expect(await isAlive({ ...self, start: `${Number(self.start) - 1}` })).toBe(false);
    expect(await isAlive({ ...self, boot: 'another' })).toBe(false);
    expect(await isAlive({ ...self, pid: 2 ** 22 + 1 })).toBe(false);
  });

  it('is judged by its number alone where the system tells no start', async () => {
    expect(await isAlive({ pid: process.pid, start: '', boot: '' })).toBe(true);
    expect(await isAlive({ pid: 2 ** 22 + 1, start: '', boot: '' })).toBe(false);
  });

  it('is dead as a zombie that nobody has waited for', async () => {
    // The child ends only when its parent has become `sleep`: a shell would wait for it, sleep never does.
    const child = '(until grep -q sleep /proc/$$/comm; do :; done)';
    const parent = spawn('sh', ['-c', `${child} & echo $!; exec sleep 60`], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    onTestFinished(() => void parent.kill('SIGKILL'));
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    const pid = Number(line.toString());
    while ((await statOf(pid)).state !== 'Z') await new Promise((resolve) => setImmediate(resolve));
    const { start } = await statOf(pid);
    expect(await isAlive({ ...(await thisProcess()), pid, start })).toBe(false);
  });
});
