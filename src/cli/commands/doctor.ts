import { isHealthy } from '../doctor/check.ts';
import type { Check, CheckStatus } from '../doctor/check.ts';
import { dataFolderCheck, nodeCheck } from '../doctor/local-checks.ts';
import { serverBinaryCheck } from '../doctor/binary-check.ts';
import { serverChecks } from '../doctor/server-checks.ts';
import { exitCodes } from '../exit-codes.ts';
import { busChoice, dataFolder } from '../options.ts';
import type { DataOptions } from '../options.ts';
import { writeJson, writeLines } from '../output.ts';
import { painter } from '../render/painter.ts';
import { table } from '../render/shapes.ts';
import type { Shell } from '../shell.ts';

/** What `troupe doctor` takes. */
export interface DoctorOptions extends DataOptions {
  readonly bus?: string;
  /** Namespace in which worker hosts are looked for. */
  readonly ns?: string;
  readonly json?: boolean;
}

/** `troupe doctor`: what runs need, and whether it is there. 1 when something is in their way. */
export async function doctor(shell: Shell, options: DoctorOptions): Promise<number> {
  const bus = busChoice(shell, options);
  const binary = serverBinaryCheck(shell, bus === 'nats');
  const checks: readonly Check[] = [
    nodeCheck(process.version),
    dataFolderCheck(dataFolder(shell, options)),
    binary,
    ...(await serverChecks(bus, shell.env, {
      isServerHere: binary.status === 'ok',
      ...(options.ns === undefined ? {} : { ns: options.ns }),
    })),
  ];
  if (options.json === true) writeJson(shell, { format: 1, ok: isHealthy(checks), checks });
  else writeLines(shell, lines(shell, checks));
  return isHealthy(checks) ? exitCodes.ok : exitCodes.failed;
}

function lines(shell: Shell, checks: readonly Check[]): readonly string[] {
  const paint = painter(shell.colours.out);
  const colour: { readonly [status in CheckStatus]: (text: string) => string } = {
    ok: paint.good,
    warn: paint.warn,
    fail: paint.bad,
  };
  const rows = table(checks.map(({ name, status, detail }) => [status, name, detail]));
  return checks.flatMap(({ status, hint, list = [] }, index) => {
    const row = (rows[index] ?? '').replace(status, colour[status](status));
    const below = [...list, ...(hint === undefined ? [] : [hint])];
    return [row, ...below.map((text) => `      ${paint.faint(text)}`)];
  });
}
