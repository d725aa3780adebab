/** Makes contracts of the boundary tenant–compute, which judge each ledger of a snapshot by itself. */

import type { Contract, OptionValue } from "../model/contract.ts";
import { type ContractDefinition, defineContract } from "../model/define-contract.ts";
import { type Books, booksOf } from "./books.ts";
import { findingsIn, type Judgement } from "./judge-books.ts";

type Terms<Options> = Omit<ContractDefinition<Options>, "boundary" | "reads" | "check">;

/** `judge` gives nothing where a ledger has nothing that the contract is about. */
export function defineLedgerContract<
  Options extends { readonly [Name in keyof Options]: OptionValue },
>(
  terms: Terms<Options>,
  judge: (books: Books, options: Options) => Judgement | undefined,
): Contract {
  return defineContract<Options>({
    ...terms,
    boundary: "tenant-compute",
    reads: ["ledger"],
    check: (snapshot, options, found) =>
      booksOf(snapshot).flatMap((books) => findingsIn(books, judge(books, options)).map(found)),
  });
}
