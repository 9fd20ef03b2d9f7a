/** What people are to be told of alerts, in minutes and without a database: what the real ones are held against. */

export interface ModelRule {
  readonly name: string;
  readonly resolveMinutes: number;
  readonly renotifyMinutes: number | null;
}

interface ModelAlert {
  readonly key: string;
  readonly app: string | null;
  readonly rule: ModelRule;
  state: "open" | "acknowledged" | "resolved";
  resolution: "quiet" | "by-hand" | undefined;
  count: number;
  begunAt: number;
  firedAt: number;
  resolvedAt: number;
  returns: number;
  isFlapping: boolean;
  /** That it goes on, as it does now. */
  isTold: boolean;
  toldAt: number;
  countTold: number;
}

export class ModelOfManners {
  now = 0;
  readonly alerts: ModelAlert[] = [];
  readonly #silences: { app: string | null; endsAt: number }[] = [];
  #told: string[] = [];

  /** What people were told since the last call, in no order. */
  hear(): string[] {
    const told = this.#told.sort();
    this.#told = [];
    return told;
  }

  pass(minutes: number): void {
    this.now += minutes;
  }

  silence(app: string | null, minutes: number): void {
    this.#silences.push({ app, endsAt: this.now + minutes });
  }

  endSilences(): void {
    this.#silences.length = 0;
  }

  fire(rule: ModelRule, app: string | null): void {
    const key = `${rule.name} ${app}`;
    const known = this.alerts.findLast((alert) => alert.key === key);
    if (known && known.state !== "resolved") {
      known.count += 1;
      known.firedAt = this.now;
      return;
    }
    if (known && known.resolution === "quiet" && this.now - known.resolvedAt < 60) {
      known.returns = (known.firedAt - known.begunAt >= 60 ? 0 : known.returns) + 1;
      known.isFlapping = known.returns >= 3;
      Object.assign(known, {
        state: "open",
        count: known.count + 1,
        begunAt: this.now,
        firedAt: this.now,
        isTold: false,
      });
      this.#tell(known, "opened");
      return;
    }
    const alert: ModelAlert = {
      key,
      app,
      rule,
      state: "open",
      resolution: undefined,
      count: 1,
      begunAt: this.now,
      firedAt: this.now,
      resolvedAt: Number.NaN,
      returns: 0,
      isFlapping: false,
      isTold: false,
      toldAt: Number.NaN,
      countTold: 0,
    };
    this.alerts.push(alert);
    this.#tell(alert, "opened");
  }

  acknowledge(index: number, acknowledged: boolean): void {
    const alert = this.alerts[index];
    if (alert?.state !== (acknowledged ? "open" : "acknowledged")) return;
    alert.state = acknowledged ? "acknowledged" : "open";
    this.#told.push(`changed ${alert.key}`);
  }

  resolve(index: number): void {
    const alert = this.alerts[index];
    if (!alert || alert.state === "resolved") return;
    if (!this.#end(alert, "by-hand")) this.#told.push(`changed ${alert.key}`);
  }

  watch(): void {
    for (const alert of this.alerts) if (alert.state !== "resolved") this.#tend(alert);
  }

  #tend(alert: ModelAlert): void {
    const { resolveMinutes, renotifyMinutes } = alert.rule;
    if (this.now - alert.firedAt >= resolveMinutes) {
      this.#end(alert, "quiet");
      return;
    }
    if (alert.isFlapping) {
      if (alert.firedAt - alert.begunAt < 60) return;
      alert.isFlapping = false;
      alert.returns = 0;
    }
    if (alert.state !== "open") return;
    if (!alert.isTold) this.#tell(alert, "opened");
    else if (
      renotifyMinutes !== null &&
      this.now - alert.toldAt >= renotifyMinutes &&
      alert.count > alert.countTold
    ) {
      this.#tell(alert, "repeated");
    }
  }

  #end(alert: ModelAlert, resolution: "quiet" | "by-hand"): boolean {
    Object.assign(alert, { state: "resolved", resolution, resolvedAt: this.now });
    return alert.isTold && this.#tell(alert, "resolved");
  }

  #tell(alert: ModelAlert, event: "opened" | "repeated" | "resolved"): boolean {
    const isSilenced = this.#silences.some(
      ({ app, endsAt }) => this.now < endsAt && (app === null || app === alert.app),
    );
    if (alert.isFlapping || isSilenced) return false;
    this.#told.push(`${event} ${alert.key}`);
    Object.assign(alert, { isTold: true, toldAt: this.now, countTold: alert.count });
    return true;
  }
}
