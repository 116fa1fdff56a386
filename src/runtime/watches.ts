import type { MonitorEvent, Watch } from '../actors/monitor.ts';
import type { Parts } from './parts.ts';

/** Where runs ask the monitor to look at the process; told again to one that was restarted. */
export class Watches {
  private readonly parts: Parts;
  private readonly watches = new Map<string, Watch>();

  constructor(parts: Parts) {
    this.parts = parts;
    parts.onStarted('monitor', (monitor) => {
      for (const watch of this.watches.values()) monitor.send({ type: 'watch.begin', watch });
    });
  }

  send(event: MonitorEvent): void {
    if (event.type === 'watch.begin') this.watches.set(event.watch.run, event.watch);
    if (event.type === 'watch.end') this.watches.delete(event.run);
    this.parts.find('monitor')?.send(event);
  }
}
