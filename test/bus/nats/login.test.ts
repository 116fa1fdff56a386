import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nkeys } from 'nats';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Bus } from '../../../src/bus/bus.ts';
import { serverChecks } from '../../../src/cli/doctor/server-checks.ts';
import type { TroupeError } from '../../../src/core/errors.ts';
import { connectBus } from '../../../src/runtime/connect-bus.ts';
import type { ConnectBusOptions } from '../../../src/runtime/connect-bus.ts';
import { createSigner } from '../../support/certificates.ts';
import type { CertificateFiles, Signer } from '../../support/certificates.ts';
import { eventually } from '../../support/eventually.ts';
import { natsServers, startNatsServer } from '../../support/nats-server.ts';
import type { NatsServer } from '../../support/nats-server.ts';
import { createJwtIssuer } from './support/jwt.ts';

let folder: string;
let signer: Signer;
let stranger: Signer;
let good: CertificateFiles;
let client: CertificateFiles;
let server: NatsServer | undefined;
let buses: Bus[];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'troupe-login-'));
  signer = createSigner(folder);
  stranger = createSigner(folder, 'stranger');
  good = signer.sign('server', 'IP:127.0.0.1');
  client = signer.sign('client', 'DNS:client');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(() => {
  buses = [];
});
afterEach(async () => {
  await Promise.all(buses.map((bus) => bus.close()));
  await server?.stop();
  server = undefined;
});

const tlsBlock = ({ certFile, keyFile }: CertificateFiles, more = ''): string =>
  `tls {\n  cert_file: "${certFile}"\n  key_file: "${keyFile}"\n  ${more}\n}`;

const written = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};

async function open(options: Partial<ConnectBusOptions> = {}): Promise<Bus> {
  const bus = await connectBus({ url: server?.url ?? '', closeTimeoutMs: 1_000, ...options });
  buses.push(bus);
  return bus;
}

const failure = (options: Partial<ConnectBusOptions> = {}): Promise<TroupeError> =>
  open(options).then(
    () => Promise.reject(new Error('It was let in.')),
    (error: TroupeError) => error,
  );

async function works(bus: Bus): Promise<void> {
  bus.subscribe('echo', (message) => message.respond(message.payload));
  await expect(bus.request('echo', 'hello')).resolves.toBe('hello');
}

describe.each(natsServers())('logging in at nats-server $version', (version) => {
  const start = async (config: string): Promise<NatsServer> => {
    server = await startNatsServer({ server: version, config, jetStream: false });
    return server;
  };

  it('encrypts with a server whose signer is named', async () => {
    await start(tlsBlock(good));
    await works(await open({ tls: { caFile: signer.caFile } }));
    const url = server?.url.replace('nats:', 'tls:') ?? '';
    await works(await open({ url, tls: { caFile: signer.caFile } }));
  });

  it('refuses a server that nobody known has signed, and names the option', async () => {
    await start(tlsBlock(good));
    for (const tls of [undefined, { caFile: stranger.caFile }]) {
      const { code, message, hint } = await failure(tls ? { tls } : {});
      expect([code, hint]).toEqual([
        'TRP_BUS_SERVER',
        expect.stringMatching(/caFile.*TROUPE_NATS_CA/),
      ]);
      expect(message).toContain(`127.0.0.1:${server?.port}`);
    }
  });

  it.each([
    ['has expired', 'expired', 'IP:127.0.0.1', -1, /new certificate/],
    ['is of another name', 'other', 'DNS:elsewhere', 2, /name of the server/],
    // What the client would look for when an address is a number.
    ['is of localhost only', 'local', 'DNS:localhost', 2, /name of the server/],
  ])('refuses a certificate that %s', async (_, name, names, days, hint) => {
    await start(tlsBlock(signer.sign(name, names, days)));
    expect(await failure({ tls: { caFile: signer.caFile } })).toMatchObject({
      code: 'TRP_BUS_SERVER',
      message: expect.stringMatching(/certificate .* is not accepted/) as string,
      hint: expect.stringMatching(hint) as string,
    });
  });

  it('refuses a server that does not encrypt when encryption is asked for', async () => {
    const { url } = await start('');
    for (const options of [{ tls: {} }, { url: url.replace('nats:', 'tls:') }])
      expect(await failure(options)).toMatchObject({
        code: 'TRP_BUS_SERVER',
        message: expect.stringContaining('does not encrypt') as string,
      });
  });

  it('shows its certificate where the server wants one, and says so where it has none', async () => {
    await start(tlsBlock(good, `ca_file: "${signer.caFile}"\n  verify: true`));
    await works(await open({ tls: { caFile: signer.caFile, ...client } }));
    const none = await failure({ tls: { caFile: signer.caFile }, connectTimeoutMs: 500 });
    expect([none.code, none.hint]).toEqual([
      'TRP_BUS_SERVER',
      expect.stringMatching(/TROUPE_NATS_CERT/),
    ]);
  });

  it('lets an nkey in by seed and by file, and refuses another', async () => {
    const [mine, other] = [nkeys.createUser(), nkeys.createUser()];
    const seedOf = (key: typeof mine): string => Buffer.from(key.getSeed()).toString();
    await start(`authorization { users: [ { nkey: ${mine.getPublicKey()} } ] }`);
    await works(await open({ nkeySeed: seedOf(mine) }));
    await works(await open({ nkeyFile: written('mine.nk', `# mine\n${seedOf(mine)}\n`) }));
    const refused = await failure({ nkeySeed: seedOf(other) });
    expect([refused.code, refused.hint]).toEqual([
      'TRP_BUS_DENIED',
      expect.stringContaining('nkey'),
    ]);
    expect(await failure()).toMatchObject({ code: 'TRP_BUS_DENIED' });
  });

  it('lets user and password in, and refuses others without telling them', async () => {
    const { url } = await start('authorization { users: [ { user: a, password: "p%w d" } ] }');
    await works(await open({ url: url.replace('//', '//a:p%25w%20d@') }));
    const refused = await failure({ url: url.replace('//', '//a:planted@') });
    expect(refused.code).toBe('TRP_BUS_DENIED');
    expect(`${refused.stack} ${JSON.stringify(refused)} ${String(refused.cause)}`).not.toContain(
      'planted',
    );
  });

  it('lets credentials in until they expire, and takes renewed ones from the file', async () => {
    const issuer = createJwtIssuer();
    await start(issuer.config);
    const inSeconds = (seconds: number): number => Math.floor(Date.now() / 1_000) + seconds;
    const file = written('user.creds', issuer.credentials(inSeconds(2)));
    const faults: string[] = [];
    const bus = await open({
      credentialsFile: file,
      onError: (error) => faults.push((error as TroupeError).code),
    });
    await works(bus);
    const states: string[] = [];
    bus.onStatus(({ state }) => states.push(state));
    await eventually('the server refuses', () => faults.length > 1 && states.length > 0);
    expect(new Set(faults)).toEqual(new Set(['TRP_BUS_DENIED']));
    expect(await failure({ credentialsFile: file })).toMatchObject({ code: 'TRP_BUS_DENIED' });
    written('user.creds', issuer.credentials(inSeconds(600)));
    await eventually('it is connected again', () => bus.state === 'connected');
  });

  it('tells a login that was withdrawn once, however often it tries again', async () => {
    const first = await start('authorization { users: [ { user: a, password: one } ] }');
    const faults: string[] = [];
    const bus = await open({
      url: first.url.replace('//', '//a:one@'),
      onError: (error, place) => faults.push(`${(error as TroupeError).code} ${place}`),
    });
    first.configure('authorization { users: [ { user: a, password: two } ] }');
    await first.restart();
    const tries = (): number => first.log().split('authentication error').length - 1;
    await eventually('it has tried three times', () => tries() >= 3);
    expect(faults).toEqual(['TRP_BUS_DENIED the connection']);
    first.configure('authorization { users: [ { user: a, password: one } ] }');
    await first.restart();
    await eventually('it is back', () => bus.state === 'connected');
  });

  it('has doctor say what is wrong', async () => {
    const { url } = await start(tlsBlock(good));
    const [unknown] = await serverChecks(url, {});
    expect(unknown).toMatchObject({ name: 'bus', status: 'fail' });
    expect(unknown?.hint).toContain('TROUPE_NATS_CA');
    const found = await serverChecks(url, { TROUPE_NATS_CA: signer.caFile });
    expect(found.find(({ name }) => name === 'round trip')?.detail).toContain(', encrypted');
  });
});

describe('options that cannot work', () => {
  const url = 'nats://127.0.0.1:1';
  it.each<readonly [string, Partial<ConnectBusOptions>]>([
    ['a seed that is none', { nkeySeed: 'SUplanted' }],
    ['a file that is not there', { credentialsFile: '/nowhere/planted.creds' }],
    ['a CA that is not there', { tls: { caFile: '/nowhere/ca.pem' } }],
    ['a certificate without its key', { tls: { certFile: import.meta.filename } }],
    ['credentials that are none', { credentialsFile: import.meta.filename }],
    ['a login that is malformed', { url: 'nats://user:planted%@127.0.0.1:1' }],
  ])('are refused before anything is dialled: %s', async (_, options) => {
    const error = await failure({ url, ...options });
    expect(error.code).toBe('TRP_OPTION_INVALID');
    if (!('credentialsFile' in options)) expect(JSON.stringify(error)).not.toContain('planted');
  });
});
