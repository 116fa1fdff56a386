import { afterEach, describe, expect, it } from 'vitest';
import type { SharedMemory } from '../../../src/memory/shared/shared-memory.ts';
import { eventually } from '../../support/eventually.ts';
import { Company, natsGround } from './support.ts';
import { WriterProcess } from './processes/writer-process.ts';

/** Every writer's items: those up to the last acknowledged surely, the next one perhaps, each at most once. */
function check(memory: SharedMemory, writers: readonly WriterProcess[]): void {
  const view = memory.view();
  const list = view.get('list.all') as string[];
  expect(new Set(list).size).toBe(list.length);
  expect(view.get('sum.all')).toBe(list.length);
  expect([...(view.get('set.all') as string[])].sort()).toEqual([...list].sort());
  for (const { name, acknowledged } of writers) {
    const own = list.filter((item) => item.startsWith(`${name}:`)).length;
    expect([acknowledged, acknowledged + 1]).toContain(own);
    expect(view.get(`own.${name}`) ?? 0).toBe(own);
  }
}

describe('writers in processes of their own', () => {
  let company: Company;
  const living: WriterProcess[] = [];
  afterEach(async () => {
    await Promise.all(living.splice(0).map((writer) => writer.kill()));
    await company.end();
  });

  const begin = async (count: number) => {
    const ground = await natsGround();
    company = new Company(ground);
    const start = (name: string): WriterProcess => {
      const writer = new WriterProcess(ground.server.url, name, count);
      living.push(writer);
      return writer;
    };
    const first = start('w0');
    await eventually('the first is ready', () => first.ready);
    expect(first.owning).toBe(true);
    const writers = [first, ...Array.from({ length: 7 }, (_, index) => start(`w${index + 1}`))];
    await eventually('all are ready', () => writers.every(({ ready }) => ready));
    return { server: ground.server, writers };
  };

  const total = (writers: readonly WriterProcess[]): number =>
    writers.reduce((sum, { acknowledged }) => sum + acknowledged, 0);

  it('lose nothing and repeat nothing while the server is killed and started again', async () => {
    const each = 40;
    const { server, writers } = await begin(each);
    for (const share of [0.2, 0.5, 0.75]) {
      const wanted = share * each * writers.length;
      await eventually('so much is acknowledged', () => total(writers) >= wanted);
      await server.restart('SIGKILL');
    }
    await Promise.all(writers.map((writer) => writer.ended()));
    expect(writers.map(({ acknowledged }) => acknowledged)).toEqual(writers.map(() => each));
    const memory = await company.open({ serve: false });
    check(memory, writers);
  }, 90_000);

  it('go on with another owner when the owner is killed, and again when that one is', async () => {
    const each = 40;
    const { writers } = await begin(each);
    const killed: WriterProcess[] = [];
    for (const share of [0.2, 0.5]) {
      const wanted = share * each * writers.length;
      await eventually('so much is acknowledged', () => total(writers) >= wanted);
      await eventually('somebody owns the memory', () => owner(writers, killed) !== undefined);
      const gone = owner(writers, killed) as WriterProcess;
      await gone.kill();
      killed.push(gone);
    }
    const others = writers.filter((writer) => !killed.includes(writer));
    await Promise.all(others.map((writer) => writer.ended()));
    expect(others.map(({ acknowledged }) => acknowledged)).toEqual(others.map(() => each));
    const memory = await company.open({ serve: false });
    check(memory, writers);
  }, 90_000);

  it('go on without an owner that sleeps, and nothing comes of what it decides when it wakes', async () => {
    const each = 30;
    const { writers } = await begin(each);
    await eventually('so much is acknowledged', () => total(writers) >= each * 2);
    const asleep = owner(writers, []) as WriterProcess;
    asleep.signal('SIGSTOP');
    const others = writers.filter((writer) => writer !== asleep);
    await eventually('another one owns the memory', () => owner(others, []) !== undefined);
    const before = total(others);
    await eventually('the others go on', () => total(others) > before + each);
    asleep.signal('SIGCONT');
    await Promise.all(writers.map((writer) => writer.ended()));
    expect(writers.map(({ acknowledged }) => acknowledged)).toEqual(writers.map(() => each));
    const memory = await company.open({ serve: false });
    check(memory, writers);
  }, 90_000);
});

function owner(
  writers: readonly WriterProcess[],
  killed: readonly WriterProcess[],
): WriterProcess | undefined {
  return writers.find((writer) => writer.owning && !writer.done && !killed.includes(writer));
}
