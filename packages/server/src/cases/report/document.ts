/** A report as a small document: what it says, without how it looks. */

export type Tone = "good" | "bad" | "open" | "plain";

export type Block =
  | { readonly kind: "paragraph"; readonly text: string }
  /** Text that is quoted as it stands, such as a statement. */
  | { readonly kind: "code"; readonly text: string }
  | { readonly kind: "list"; readonly items: readonly string[] }
  | { readonly kind: "facts"; readonly rows: readonly (readonly [name: string, value: string])[] }
  | {
      readonly kind: "table";
      readonly columns: readonly string[];
      readonly rows: readonly (readonly string[])[];
      /** One for each row. */
      readonly tones?: readonly Tone[];
    }
  | { readonly kind: "verdict"; readonly tone: Tone; readonly text: string };

export interface Section {
  readonly title: string;
  readonly blocks: readonly Block[];
}

export interface ReportDocument {
  readonly title: string;
  readonly subtitle: string;
  readonly verdict: { readonly tone: Tone; readonly text: string };
  readonly sections: readonly Section[];
}
