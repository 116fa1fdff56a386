/**
 * Identities of the last while.
 *
 * Invariant: `ids` holds what was added within the window before the last question, and `order` the same in order of
 * time from `gone` on.
 */
export class DedupeWindow {
  private readonly windowMs: number;
  private readonly ids = new Set<string>();
  private order: { readonly id: string; readonly atMs: number }[] = [];
  private gone = 0;

  /** @param windowMs an identity is known for this long, in milliseconds. */
  constructor(windowMs: number) {
    this.windowMs = windowMs;
  }

  has(id: string, nowMs: number): boolean {
    this.forget(nowMs);
    return this.ids.has(id);
  }

  /** Not known yet. */
  add(id: string, nowMs: number): void {
    this.ids.add(id);
    this.order.push({ id, atMs: nowMs });
  }

  private forget(nowMs: number): void {
    for (let next = this.order[this.gone]; next && next.atMs + this.windowMs < nowMs;) {
      this.ids.delete(next.id);
      next = this.order[++this.gone];
    }
    if (this.gone * 2 <= this.order.length) return;
    this.order = this.order.slice(this.gone);
    this.gone = 0;
  }
}
