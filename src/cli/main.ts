#!/usr/bin/env node
import { createRequire } from 'node:module';
import { runCli } from './cli.ts';
import { flushed, processShell } from './shell.ts';

const { version } = createRequire(import.meta.url)('../../package.json') as { version: string };
const exitCode = await runCli(processShell(), process.argv.slice(2), version);
await flushed();
process.exit(exitCode);
