/** The attributes that name the record which an operation reads or writes. */

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
