import { Secrets } from '../../core/redaction.ts';

/** Variables of a host's environment that documents declare secret: what the host says, it says without their values. */
export class HostSecrets extends Secrets {
  private readonly known = new Set<string>();

  /** From now on for as long as the host lives. What is no name, or not set here, is passed over. */
  learn(
    names: readonly string[],
    environment: { readonly [name: string]: string | undefined },
  ): void {
    for (const name of names) {
      const value = this.known.has(name) ? undefined : environment[name];
      if (value === undefined) continue;
      this.known.add(name);
      this.add(name, value);
    }
  }
}
