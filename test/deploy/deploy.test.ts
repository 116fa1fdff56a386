import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { buildProgram } from '../../src/cli/program.ts';
import type { Shell } from '../../src/cli/shell.ts';

const folder = fileURLToPath(new URL('../../config/deploy/', import.meta.url));

function text(file: string): string {
  return readFileSync(join(folder, file), 'utf8');
}

const program = buildProgram({} as Shell, '0.0.0', () => undefined);

/** Faults of a command line of troupe, by the commands and the flags that there are. */
function faultsOf(words: readonly string[]): readonly string[] {
  const [name = '', ...rest] = words;
  const command = program.commands.find((known: Command) => known.name() === name);
  if (!command) return [`no command ${name}`];
  const flags = rest.filter((word) => word.startsWith('--')).map((word) => word.split('=')[0]);
  const known = new Set(command.options.map(({ long }) => long));
  return flags.flatMap((flag) => (known.has(flag) ? [] : [`${name} has no ${flag}`]));
}

interface Container {
  readonly args: readonly string[];
}

interface Manifest {
  readonly kind: string;
  readonly spec: { readonly template: { readonly spec: { readonly containers: Container[] } } };
}

interface Compose {
  readonly services: { readonly [name: string]: { readonly command: string } };
}

function compose(): Compose {
  return parse(text('compose/compose.yaml'), { merge: true }) as Compose;
}

const units = ['systemd/troupe-serve.service', 'systemd/troupe-worker@.service'];

/** Every command line of troupe that the files hold. */
function commandLines(): readonly (readonly string[])[] {
  const ofUnits = units.map((unit) => /^ExecStart=.*? troupe (.*)$/m.exec(text(unit))?.[1] ?? '');
  const { owner, worker } = compose().services;
  const ofCompose = [owner?.command ?? '', worker?.command ?? ''];
  const ofPods = ['kubernetes/worker.yaml', 'kubernetes/serve.yaml'].map(
    (file) => (parse(text(file)) as Manifest).spec.template.spec.containers[0]?.args ?? [],
  );
  const image = /^CMD (\[.*\])$/m.exec(text('Containerfile'))?.[1] ?? '[]';
  const ofText = [...ofUnits, ...ofCompose].map((line) => line.split(' '));
  return [...ofText, ...ofPods, JSON.parse(image) as string[]];
}

describe('what config/deploy starts', () => {
  it.each(commandLines().map((words) => [words.join(' '), words] as const))(
    'is a command of troupe with flags that it has: %s',
    (_, words) => {
      expect(faultsOf(words)).toEqual([]);
    },
  );

  it('gives a drain more time than it was told to take', () => {
    const unit = text('systemd/troupe-worker@.service');
    const stopS = Number(/TimeoutStopSec=(\d+)s/.exec(unit)?.[1]);
    const drainS = Number(/--drain-timeout (\d+)s/.exec(unit)?.[1]);
    expect(stopS).toBeGreaterThan(drainS);
    const pod = text('kubernetes/worker.yaml');
    const graceS = Number(/terminationGracePeriodSeconds: (\d+)/.exec(pod)?.[1]);
    expect(graceS).toBeGreaterThan(Number(/--drain-timeout=(\d+)s/.exec(pod)?.[1]));
  });

  it('keeps three copies: three NATS servers that know each other, each with a store', () => {
    const servers = Object.entries(compose().services).filter(([name]) => name.startsWith('nats'));
    expect(servers).toHaveLength(3);
    for (const [name, { command }] of servers) {
      const others = servers.map(([other]) => other).filter((other) => other !== name);
      for (const other of others) expect(command).toContain(`nats://${other}:6222`);
      expect(command).toContain('--jetstream --store_dir /data');
    }
    const values = parse(text('kubernetes/nats-values.yaml').replace(/<<.*>>/, '2')) as {
      config: { cluster: { replicas: number } };
    };
    expect(values.config.cluster.replicas).toBe(3);
  });

  it('has units that systemd understands, where there is one', () => {
    for (const unit of units)
      expect(text(unit)).toMatch(/^\[Unit\]$[^]*^\[Service\]$[^]*^\[Install\]$/m);
    if (!existsSync('/usr/bin/systemd-analyze')) return;
    const scratch = mkdtempSync(join(tmpdir(), 'troupe-units-'));
    try {
      for (const unit of units) {
        const path = join(scratch, unit.replace('systemd/', '').replace('@', '@gpu'));
        // The user and the program are those of the host where the unit is installed.
        writeFileSync(path, text(unit).replace(/^(User|Group)=.*\n/gm, ''));
        const found = spawnSync('/usr/bin/systemd-analyze', ['verify', '--man=no', path], {
          encoding: 'utf8',
        });
        expect(found.stderr).not.toMatch(/Unknown|Failed to parse|Invalid/i);
      }
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
  });
});
