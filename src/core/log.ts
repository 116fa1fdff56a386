import type { PlainObject } from './plain.ts';

/** Where diagnostics go. Never standard output: that belongs to results. */
export interface Logger {
  debug(message: string, fields?: PlainObject): void;
  info(message: string, fields?: PlainObject): void;
  warn(message: string, fields?: PlainObject): void;
  error(message: string, fields?: PlainObject): void;
}

const ignore = (): void => undefined;

/** A logger that says nothing. */
export const silentLogger: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };
