/** Branded identifiers: text that says what it identifies. */

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** 1 to 40 characters of `[a-z0-9-]`, starting with a letter. It stands in API keys, so it has no underscore. */
export type TenantId = Branded<"TenantId">;
export type KeyId = Branded<"KeyId">;
export type CaseId = Branded<"CaseId">;
export type OperationId = Branded<"OperationId">;

export const tenantIdPattern = "^[a-z][a-z0-9-]{0,39}$";
export const uuidPattern = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$";

/** Reads a tenant id, or gives `undefined` when the text is none. */
export function parseTenantId(text: string): TenantId | undefined {
  // The pattern is the definition of a tenant id.
  return new RegExp(tenantIdPattern).test(text) ? (text as TenantId) : undefined;
}
