/** Providers that invoice in another currency than their uses were charged in: without a rate the two cannot be compared. */

interface Amount {
  readonly provider: string;
  readonly currency: string;
}

/** Which providers those are, by what each side has of them. */
export class UnconvertedProviders {
  readonly #invoiced = new Map<string, Set<string>>();
  readonly #charged = new Map<string, Set<string>>();

  /** Notes a line of an invoice. */
  addInvoiced(amount: Amount): void {
    add(this.#invoiced, amount);
  }

  /** Notes something that was charged. */
  addCharged(amount: Amount): void {
    add(this.#charged, amount);
  }

  /** The currencies of a provider, where those of both sides are not the same. */
  currenciesOf(
    provider: string,
  ): { readonly invoiced: readonly string[]; readonly charged: readonly string[] } | undefined {
    const invoiced = this.#invoiced.get(provider) ?? new Set();
    const charged = this.#charged.get(provider) ?? new Set();
    // Where one side has nothing at all, there is nothing to convert.
    if (invoiced.size === 0 || charged.size === 0) return undefined;
    if (invoiced.symmetricDifference(charged).size === 0) return undefined;
    return { invoiced: [...invoiced].sort(), charged: [...charged].sort() };
  }
}

function add(known: Map<string, Set<string>>, { provider, currency }: Amount): void {
  const currencies = known.get(provider) ?? new Set();
  known.set(provider, currencies.add(currency));
}
