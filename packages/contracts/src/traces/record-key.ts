/** The attributes that name the record which an operation reads or writes, and where the record lies. */

/** The surest first. */
export const recordKeyNames: readonly string[] = [
  "record.key",
  "entity.id",
  "entity_id",
  "record_id",
  "db.record.key",
  "aggregate.id",
  "key",
  "record",
];

/** Whose record it is. */
export const recordOwnerNames: readonly string[] = ["tenant.id", "tenant_id", "tenant"];

/** Where the record lies. */
export const recordPlaceNames: readonly string[] = [
  "db.collection.name",
  "db.sql.table",
  "db.mongodb.collection",
  "db.cassandra.table",
  "table",
  "collection",
  "bucket",
  "entity.type",
  "aggregate.type",
];
