/** A duration as people say it: `850ms`, `12.5s`, `3m20s`, `2h05m`. */
export function readableMs(ms: number): string {
  if (ms < 1000) return `${round(ms)}ms`;
  if (ms < 60_000) return `${round(ms / 1000)}s`;
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60) return `${minutes}m${padded(Math.floor((ms % 60_000) / 1000))}s`;
  return `${Math.floor(minutes / 60)}h${padded(minutes % 60)}m`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function padded(value: number): string {
  return String(value).padStart(2, '0');
}
