/** A small double-entry ledger for tests, which shares nothing with the one that the server keeps. */

import type {
  BookedAccount,
  BookedEntry,
  BookedLimit,
  BookedReserve,
  BookedUse,
  LedgerContent,
} from "../src/model/ledger.ts";

const secondMicros = 1_000_000;
/** When the first command was. */
const startMicros = 1_800_000_000 * secondMicros;
const currency = "USD";

interface Reserve {
  readonly id: string;
  readonly kind: "hold" | "lease";
  state: string;
  remaining: bigint;
  endsMicros: number;
  isCompleted: boolean;
  chargeCount: number;
  charged: bigint;
}

/** What was used, and what is said of it. */
interface UsePart extends Partial<BookedUse> {
  readonly micros: bigint;
}

/** What was done, in its order. */
export class LedgerMaker {
  readonly #entries: (BookedEntry & { readonly sequence: number; readonly timeMicros: number })[] =
    [];
  readonly #uses: (BookedUse & { readonly timeMicros: number; readonly holdId: string })[] = [];
  readonly #limits: BookedLimit[] = [];
  readonly #reserves = new Map<string, Reserve>();
  readonly #balances = new Map<string, bigint>();
  #limit = 0n;
  #commandCount = 0;

  get #nowMicros(): number {
    return startMicros + this.#commandCount * secondMicros;
  }

  balance(account: string): bigint {
    return this.#balances.get(`${account}/${currency}`) ?? 0n;
  }

  /** Sets the credit line. */
  setLimit(micros: bigint): this {
    this.#commandCount += 1;
    this.#limit = micros;
    const fromSequence = this.#entries.length + 1;
    const limit = { currency, fromSequence, limitMicros: String(micros) };
    // Of several that no entry lies between the last one holds.
    if (this.#limits.at(-1)?.fromSequence === fromSequence) this.#limits.pop();
    this.#limits.push(limit);
    return this;
  }

  grant(micros: bigint): this {
    this.#commandCount += 1;
    if (this.#limits.length === 0) this.setLimit(0n);
    this.#move(["grants", "credit"], micros, { reason: "granted" });
    return this;
  }

  /** Reserves, or refuses and does nothing. */
  reserve(kind: "hold" | "lease", id: string, micros: bigint): boolean {
    const credit = this.balance("credit");
    const line = this.#limit + this.balance("debt");
    if (this.#reserves.has(id) || micros <= 0n || line < 0n || micros > credit + line) return false;
    this.#commandCount += 1;
    const fromCredit = credit < micros ? credit : micros;
    this.#move(["credit", "holds"], fromCredit, { reason: "held", holdId: id });
    this.#move(["debt", "holds"], micros - fromCredit, { reason: "held", holdId: id });
    const endsMicros = this.#nowMicros + 60 * secondMicros;
    this.#reserves.set(id, {
      id,
      kind,
      state: "open",
      remaining: micros,
      endsMicros,
      isCompleted: false,
      chargeCount: 0,
      charged: 0n,
    });
    return true;
  }

  /** Charges a use, out of what is reserved and then of what there is. */
  use(holdId: string, usageId: string, given: UsePart): this {
    const { micros, ...more } = given;
    const reserve = this.#reserves.get(holdId);
    if (reserve === undefined || this.#uses.some(({ id }) => id === usageId)) return this;
    this.#commandCount += 1;
    const reserved = micros < reserve.remaining ? micros : reserve.remaining;
    this.#move(["holds", "usage:tokens"], reserved, { reason: "charged", holdId, usageId });
    reserve.remaining -= reserved;
    const credit = this.balance("credit");
    const beyond = micros - reserved < credit ? micros - reserved : credit;
    this.#move(["credit", "usage:tokens"], beyond, {
      reason: "charged-beyond-hold",
      holdId,
      usageId,
    });
    const owed = micros - reserved - beyond;
    this.#move(["debt", "usage:tokens"], owed, { reason: "charged-beyond-hold", holdId, usageId });
    reserve.chargeCount += 1;
    reserve.charged += micros;
    const timeMicros = this.#nowMicros;
    this.#uses.push({
      id: usageId,
      holdId,
      timeMicros,
      amountMicros: String(micros),
      currency,
      ...more,
    });
    return this;
  }

  /** Ends a hold or a lease and frees what is left. */
  end(
    id: string,
    state: "settled" | "released" | "expired" | "returned",
    isCompleted = true,
  ): this {
    const reserve = this.#reserves.get(id);
    if (reserve?.state !== "open") return this;
    this.#commandCount += 1;
    this.#move(["holds", "credit"], reserve.remaining, { reason: "released", holdId: id });
    Object.assign(reserve, { state, remaining: 0n, isCompleted });
    const owed = -this.balance("debt");
    const credit = this.balance("credit");
    this.#move(["credit", "debt"], owed < credit ? owed : credit, { reason: "debt-covered" });
    return this;
  }

  /** The whole ledger, or that from the n-th command on with what was before summed up. */
  content(fromCommand = 0): LedgerContent {
    const isWhole = fromCommand === 0;
    const fromMicros = startMicros + fromCommand * secondMicros;
    const isIn = ({ timeMicros }: { readonly timeMicros: number }): boolean =>
      isWhole || timeMicros >= fromMicros;
    const earlier = this.#entries.filter((entry) => !isIn(entry));
    const openings = new Map<string, bigint>();
    for (const { from, to, amountMicros } of earlier) {
      openings.set(from, (openings.get(from) ?? 0n) - BigInt(amountMicros));
      openings.set(to, (openings.get(to) ?? 0n) + BigInt(amountMicros));
    }
    const accounts = [...this.#balances].map(([id, balance]): BookedAccount => {
      const opening = String(openings.get(id) ?? 0n);
      return { id, balanceMicros: String(balance), ...(isWhole ? {} : { openingMicros: opening }) };
    });
    return {
      kind: "ledger",
      name: "tenant",
      readMicros: this.#nowMicros,
      ...(isWhole ? {} : { fromMicros }),
      accounts,
      limits: this.#limits,
      entries: this.#entries.filter(isIn),
      reserves: [...this.#reserves.values()].map((reserve) =>
        this.#reserveOf(
          reserve,
          isWhole ? undefined : { entries: earlier, uses: this.#uses.filter((use) => !isIn(use)) },
        ),
      ),
      uses: this.#uses.filter(isIn),
    };
  }

  #reserveOf(
    reserve: Reserve,
    earlier: Pick<LedgerContent, "entries" | "uses"> | undefined,
  ): BookedReserve {
    const { id, kind, state, endsMicros, isCompleted, chargeCount, charged } = reserve;
    const base = {
      id,
      kind,
      currency,
      state,
      remainingMicros: String(reserve.remaining),
      endsMicros,
    };
    const own = earlier?.entries?.filter(({ holdId }) => holdId === id) ?? [];
    const opening = own.reduce((sum, { from, to, amountMicros }) => {
      const micros = BigInt(amountMicros);
      return (
        sum + (to.startsWith("holds/") ? micros : 0n) - (from.startsWith("holds/") ? micros : 0n)
      );
    }, 0n);
    const before = earlier?.uses?.filter((use) => use.holdId === id) ?? [];
    const sum = before.reduce((total, use) => total + BigInt(use.amountMicros), 0n);
    return {
      ...base,
      ...(earlier === undefined
        ? {}
        : {
            openingMicros: String(opening),
            earlierUses: { count: before.length, amountMicros: String(sum) },
          }),
      ...(kind === "hold" && state === "expired" ? { isCompleted } : {}),
      ...(kind === "lease"
        ? { journal: { count: chargeCount, amountMicros: String(charged) } }
        : {}),
    };
  }

  #move(
    [from, to]: readonly [string, string],
    micros: bigint,
    more: { readonly reason: string } & Partial<BookedEntry>,
  ): void {
    if (micros <= 0n) return;
    const ids = { from: `${from}/${currency}`, to: `${to}/${currency}` };
    this.#balances.set(ids.from, (this.#balances.get(ids.from) ?? 0n) - micros);
    this.#balances.set(ids.to, (this.#balances.get(ids.to) ?? 0n) + micros);
    this.#entries.push({
      sequence: this.#entries.length + 1,
      timeMicros: this.#nowMicros,
      ...ids,
      amountMicros: String(micros),
      commandId: `c${this.#commandCount}`,
      ...more,
    });
  }
}

/** The lines of an export. */
export function exportText(content: LedgerContent): string {
  const iso = (micros: number): string => new Date(micros / 1_000).toISOString();
  const timed = ({ timeMicros, ...rest }: { readonly timeMicros?: number }): object => ({
    ...rest,
    ...(timeMicros === undefined ? {} : { at: iso(timeMicros) }),
  });
  const { name, readMicros = 0, fromMicros } = content;
  const from = fromMicros === undefined ? {} : { from: iso(fromMicros) };
  const lines = [
    ...(content.accounts ?? []).map((account) => ({ account })),
    ...(content.limits ?? []).map((limit) => ({ limit })),
    ...(content.entries ?? []).map((entry) => ({ entry: timed(entry) })),
    ...(content.reserves ?? []).map(({ endsMicros, ...rest }) => ({
      reserve: { ...rest, ...(endsMicros === undefined ? {} : { endsAt: iso(endsMicros) }) },
    })),
    ...(content.uses ?? []).map((use) => ({ use: timed(use) })),
  ];
  const header = { faultline: "ledger", version: 1, name, at: iso(readMicros), ...from };
  const all = [header, ...lines, { end: { lineCount: lines.length } }];
  return all.map((line) => `${JSON.stringify(line)}\n`).join("");
}
