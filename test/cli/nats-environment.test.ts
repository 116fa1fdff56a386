import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nkeys } from 'nats';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { natsEnvironment } from '../../src/runtime/nats-environment.ts';
import { createSigner } from '../support/certificates.ts';
import { startNatsServer } from '../support/nats-server.ts';
import type { NatsServer } from '../support/nats-server.ts';
import { startTroupe } from './support/process.ts';

describe('the environment of connections to NATS', () => {
  let folder: string;
  let server: NatsServer | undefined;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'troupe-env-'));
    writeFileSync(
      join(folder, 'flow.json'),
      JSON.stringify({ version: 1, tasks: { t: { uses: 'simulate', estimate: '1ms' } } }),
    );
  });
  afterEach(async () => {
    await server?.stop();
    server = undefined;
    rmSync(folder, { recursive: true, force: true });
  });

  const troupe = async (
    env: NodeJS.ProcessEnv,
    ...args: readonly string[]
  ): Promise<{ code: number | null; out: string; said: string }> => {
    const { code, stdout, stderr } = await startTroupe(folder, args, env).ended;
    return { code, out: stdout, said: stdout + stderr };
  };

  it('is files, and absent where it is empty', () => {
    expect(natsEnvironment({ TROUPE_NATS_CA: '', TROUPE_NATS_CREDENTIALS: '' })).toEqual({});
    expect(
      natsEnvironment({
        TROUPE_NATS_CREDENTIALS: 'c',
        TROUPE_NATS_NKEY: 'n',
        TROUPE_NATS_CA: 'a',
        TROUPE_NATS_CERT: 'b',
        TROUPE_NATS_KEY: 'k',
      }),
    ).toEqual({
      credentialsFile: 'c',
      nkeyFile: 'n',
      tls: { caFile: 'a', certFile: 'b', keyFile: 'k' },
    });
  });

  it('is used by run, resume and doctor', async () => {
    const signer = createSigner(folder);
    const [{ certFile, keyFile }, client] = [
      signer.sign('server', 'IP:127.0.0.1'),
      signer.sign('client', 'DNS:client'),
    ];
    const user = nkeys.createUser();
    writeFileSync(join(folder, 'user.nk'), user.getSeed());
    server = await startNatsServer({
      config: [
        `tls {\n  cert_file: "${certFile}"\n  key_file: "${keyFile}"`,
        `  ca_file: "${signer.caFile}"\n  verify: true\n}`,
        `authorization { users: [ { nkey: ${user.getPublicKey()} } ] }`,
      ].join('\n'),
    });
    const env = {
      TROUPE_BUS: server.url,
      TROUPE_NATS_CA: signer.caFile,
      TROUPE_NATS_CERT: client.certFile,
      TROUPE_NATS_KEY: client.keyFile,
      TROUPE_NATS_NKEY: join(folder, 'user.nk'),
    };
    const ran = await troupe(env, 'run', 'flow.json', '--json');
    expect(JSON.parse(ran.out)).toMatchObject({ status: 'succeeded' });
    expect((await troupe(env, 'resume', 'last', '--json')).code).toBe(0);
    const looked = await troupe(env, 'doctor');
    expect([looked.code, looked.said]).toEqual([
      0,
      expect.stringMatching(/round trip .*, encrypted/),
    ]);
    const stranger = await troupe({ ...env, TROUPE_NATS_CA: '' }, 'doctor');
    expect([stranger.code, stranger.said]).toEqual([1, expect.stringContaining('TROUPE_NATS_CA')]);
  });

  it('leaves a planted password nowhere: not in what is said, nor in files', async () => {
    server = await startNatsServer({
      config: 'authorization { users: [ { user: a, password: "planted" } ] }',
    });
    const right = server.url.replace('//', '//a:planted@');
    const wrong = server.url.replace('//', '//a:plantedtoo@');
    const nobody = 'nats://a:planted@127.0.0.1:1';
    const done = await troupe({ TROUPE_BUS: right }, 'run', 'flow.json', '--jsonl');
    expect(done.code).toBe(0);
    const all = [
      done,
      await troupe({ TROUPE_BUS: right }, 'doctor', '--json'),
      await troupe({ TROUPE_BUS: wrong }, 'doctor'),
      await troupe({ TROUPE_BUS: wrong }, 'run', 'flow.json'),
      await troupe({ TROUPE_BUS: nobody }, 'run', 'flow.json', '--json'),
      await troupe({ TROUPE_BUS: 'nats://a:planted@' }, 'run', 'flow.json'),
    ];
    for (const { said } of all) expect(said).not.toContain('planted');
    for (const file of readdirSync(folder, { recursive: true, withFileTypes: true }))
      if (file.isFile())
        expect(readFileSync(join(file.parentPath, file.name), 'latin1')).not.toContain('planted');
  });
});
