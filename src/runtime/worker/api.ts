import type { TaskFunction } from '../../actors/behaviours/behaviour.ts';
import type { Bus } from '../../bus/bus.ts';
import type { Clock } from '../../core/clock.ts';
import type { Ids } from '../../core/ids.ts';
import type { Logger } from '../../core/log.ts';
import type { ProviderSource } from '../../workflow/normalise-providers.ts';

/** How a worker host is made. */
export interface WorkerOptions {
  /** Where its work comes from: an address such as `nats://host:4222`, `nats`, or a bus, which stays open. */
  readonly bus: string | Bus;
  /** Pools that it serves; the names that documents have under `pools:`. */
  readonly pools: readonly string[];
  /** Attempts at one time. Default 4. */
  readonly concurrency?: number;
  /** Functions for agents with `module: host:NAME`. Default: none. */
  readonly functions?: { readonly [name: string]: TaskFunction };
  /** Folder below which it may load the modules that documents name; they are found by the same relative path. Default: none. */
  readonly baseDir?: string;
  /** Agents may run any program on this host. Default false. */
  readonly allowCommands?: boolean;
  /** As for `createTroupe`: what is said here counts before what documents say. */
  readonly providers?: { readonly [name: string]: ProviderSource };
  /** Namespace on the bus. Default `default`. */
  readonly ns?: string;
  /** Default: the system clock. */
  readonly clock?: Clock;
  /** Default: random ids. */
  readonly ids?: Ids;
  /** Default: silent. */
  readonly logger?: Logger;
}

/** What a worker host has done and is doing. */
export interface WorkerStats {
  readonly slots: number;
  readonly busy: number;
  /** Attempts that ended here, by how. */
  readonly succeeded: number;
  readonly failed: number;
  readonly handedBack: number;
  /** Items that were not begun, because nobody wanted them any more. */
  readonly refused: number;
  /** Time that attempts took, in all. */
  readonly busyMs: number;
}

/** A process that carries out attempts for others. */
export interface WorkerHost {
  /** As it is known on the bus. */
  readonly id: string;
  readonly pools: readonly string[];
  readonly state: 'serving' | 'draining' | 'stopped';
  /** By name, `ok` or what is wrong: whether it takes work right now. */
  readiness(): { readonly [check: string]: string };
  stats(): WorkerStats;
  /**
   * Takes nothing new, lets what is at work end, hands back after `withinMs` what has not, and closes.
   * Default 30,000.
   */
  drain(options?: { readonly withinMs?: number }): Promise<void>;
  /** Ends at once: what is at work is ended and handed back where that is possible within a second. */
  close(): Promise<void>;
}
