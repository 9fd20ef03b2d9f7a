/**
 * One door for many: a holder keeps it until they leave, the others wait in the order in which they came.
 *
 *        ask            enter                leave
 *   B ─────────▶ [C B] ─────────▶ ( holder ) ─────────▶ the next of the line
 */
export class Gate<Holder extends object> {
  #holder: Holder | undefined;
  readonly #line: { who: Holder; enter: (entered: boolean) => void }[] = [];

  get holder(): Holder | undefined {
    return this.#holder;
  }

  /** True once `who` holds the gate (at once when they hold it already), false when they gave up waiting. */
  ask(who: Holder): Promise<boolean> {
    if (this.#holder === undefined) this.#holder = who;
    if (this.#holder === who) return Promise.resolve(true);
    return new Promise((enter) => this.#line.push({ who, enter }));
  }

  /** Opens for the next of the line; without effect when `who` does not hold the gate. */
  leave(who: Holder): void {
    if (this.#holder !== who) return;
    const next = this.#line.shift();
    this.#holder = next?.who;
    next?.enter(true);
  }

  /** Stops waiting: every pending `ask` of `who` answers false. */
  giveUp(who: Holder): void {
    for (let index = this.#line.length - 1; index >= 0; index -= 1) {
      if (this.#line[index]?.who === who) this.#line.splice(index, 1)[0]?.enter(false);
    }
  }
}
