/** Tables of identity. */

// eslint-disable-next-line typescript/no-empty-object-type -- filled by the domain's first migration
export interface IdentityTables {}
