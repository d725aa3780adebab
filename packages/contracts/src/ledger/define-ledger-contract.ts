/** Makes contracts of the boundary tenant–compute, which judge each ledger of a snapshot by itself. */

import type { Contract, OptionValue } from "../model/contract.ts";
import { type ContractDefinition, defineContract } from "../model/define-contract.ts";
import { type Books, booksOf } from "./books.ts";
import { findingsIn, type Judgement } from "./judge-books.ts";

type Terms<Options> = Omit<ContractDefinition<Options>, "boundary" | "reads" | "check">;

/** What every contract of this boundary lets one set. */
interface ToldOptions {
  readonly toldCountMax: number;
}

const toldOptions = {
  toldCountMax: {
    // As many as the ledger's own reconciliation tells.
    default: 100,
    description: "how many differences of one kind are told one by one, at least 1",
  },
} as const;

/** `judge` gives nothing where a ledger has nothing that the contract is about. */
export function defineLedgerContract<
  Options extends { readonly [Name in keyof Options]: OptionValue },
>(
  terms: Terms<Options>,
  judge: (books: Books, options: Options) => Judgement | undefined,
): Contract {
  return defineContract<Options & ToldOptions>({
    ...terms,
    // Every name of both is there, with a default of its type; of a spread the compiler cannot say that for each name.
    options: { ...terms.options, ...toldOptions } as ContractDefinition<
      Options & ToldOptions
    >["options"],
    boundary: "tenant-compute",
    reads: ["ledger"],
    check: (snapshot, options, found) =>
      booksOf(snapshot).flatMap((books) =>
        findingsIn(books, judge(books, options), options.toldCountMax).map(found),
      ),
  });
}
