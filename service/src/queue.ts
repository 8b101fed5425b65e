/** A bounded first-in first-out queue for each principal, emptied in turns: one that asks much delays only itself. */
export class FairQueue<T> {
  readonly #limit: number;
  readonly #lines = new Map<string, T[]>();
  #size = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#size;
  }

  get isFull(): boolean {
    return this.#size >= this.#limit;
  }

  /** How many items go before the next one of `principal`: all of its own, and of others as many rounds as that takes. */
  ahead(principal: string): number {
    const own = this.#lines.get(principal)?.length ?? 0;
    let ahead = own;
    for (const [other, line] of this.#lines) if (other !== principal) ahead += Math.min(line.length, own + 1);
    return ahead;
  }

  push(principal: string, item: T): void {
    const line = this.#lines.get(principal);
    if (line === undefined) this.#lines.set(principal, [item]);
    else line.push(item);
    this.#size += 1;
  }

  /** Takes the oldest item of the principal whose turn it is. */
  shift(): T | undefined {
    for (const [principal, line] of this.#lines) {
      const item = line.shift();
      if (line.length === 0) this.#lines.delete(principal);
      else if (this.#lines.size > 1) {
        this.#lines.delete(principal); // to the end of the round
        this.#lines.set(principal, line);
      }
      if (item === undefined) continue;
      this.#size -= 1;
      return item;
    }
    return undefined;
  }

  /** Takes out an item that nobody waits for any more. */
  remove(principal: string, item: T): boolean {
    const line = this.#lines.get(principal);
    const at = line?.indexOf(item) ?? -1;
    if (line === undefined || at === -1) return false;
    line.splice(at, 1);
    if (line.length === 0) this.#lines.delete(principal);
    this.#size -= 1;
    return true;
  }
}
