/** The parts of a parsed template. */

export type Expression =
  | { readonly kind: "literal"; readonly value: string | number | boolean | null }
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "list"; readonly items: readonly Expression[] }
  | {
      readonly kind: "dictionary";
      readonly entries: readonly (readonly [Expression, Expression])[];
    }
  | { readonly kind: "unary"; readonly operator: "not" | "-" | "+"; readonly of: Expression }
  | {
      readonly kind: "binary";
      readonly operator: string;
      readonly left: Expression;
      readonly right: Expression;
    }
  | {
      readonly kind: "choice";
      readonly condition: Expression;
      readonly chosen: Expression;
      readonly otherwise: Expression | undefined;
    }
  | { readonly kind: "member"; readonly of: Expression; readonly key: Expression }
  | {
      readonly kind: "slice";
      readonly of: Expression;
      readonly bounds: readonly (Expression | undefined)[];
    }
  | { readonly kind: "call"; readonly callee: Expression; readonly arguments: Arguments }
  | {
      readonly kind: "filter";
      readonly of: Expression;
      readonly name: string;
      readonly arguments: Arguments;
    }
  | {
      readonly kind: "test";
      readonly of: Expression;
      readonly name: string;
      readonly isNegated: boolean;
      readonly arguments: Arguments;
    };

export interface Arguments {
  readonly positional: readonly Expression[];
  readonly named: readonly (readonly [string, Expression])[];
}

export type Statement =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "output"; readonly value: Expression }
  | {
      readonly kind: "if";
      readonly branches: readonly {
        readonly condition: Expression | undefined;
        readonly body: readonly Statement[];
      }[];
    }
  | {
      readonly kind: "for";
      readonly names: readonly string[];
      readonly of: Expression;
      readonly filter: Expression | undefined;
      readonly body: readonly Statement[];
      readonly otherwise: readonly Statement[];
    }
  | {
      readonly kind: "set";
      readonly names: readonly string[];
      readonly member: string | undefined;
      readonly value: Expression;
    }
  | { readonly kind: "set-block"; readonly name: string; readonly body: readonly Statement[] }
  | {
      readonly kind: "macro";
      readonly name: string;
      readonly parameters: readonly (readonly [string, Expression | undefined])[];
      readonly body: readonly Statement[];
    }
  | {
      readonly kind: "call-block";
      readonly parameters: readonly (readonly [string, Expression | undefined])[];
      /** The call of a macro, which finds the body under the name `caller`. */
      readonly call: Expression;
      readonly body: readonly Statement[];
    }
  | { readonly kind: "body"; readonly body: readonly Statement[] }
  | { readonly kind: "break" | "continue" };
