#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { runCli } from './cli.ts';
import { flushed, processShell } from './shell.ts';

const description = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
const { version } = JSON.parse(description) as { version: string };
const exitCode = await runCli(processShell(), process.argv.slice(2), version);
await flushed();
process.exit(exitCode);
