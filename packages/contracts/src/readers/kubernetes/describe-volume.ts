/** The volumes of a pod from the text of `kubectl describe`. */

import { type DescribedField, fieldsOf, textOf } from "./describe-fields.ts";

/** The volumes of the block `Volumes:`. Only kinds that refer to other objects are told apart. */
export function volumesOf(block: DescribedField | undefined): Record<string, unknown>[] {
  if (block === undefined) return [];
  return fieldsOf(block.lines).map(({ name, lines }) => {
    const fields = fieldsOf(lines);
    return { name, ...sourceOf(fields) };
  });
}

function sourceOf(fields: readonly DescribedField[]): Record<string, unknown> {
  const type = textOf(fields, "Type")?.split(" ")[0] ?? "";
  const optional = textOf(fields, "Optional") === "true" ? { optional: true } : {};
  switch (type) {
    case "ConfigMap":
      return { configMap: { name: textOf(fields, "Name") ?? "", ...optional } };
    case "Secret":
      return { secret: { secretName: textOf(fields, "SecretName") ?? "", ...optional } };
    case "PersistentVolumeClaim":
      return {
        persistentVolumeClaim: {
          claimName: textOf(fields, "ClaimName") ?? "",
          readOnly: textOf(fields, "ReadOnly") === "true",
        },
      };
    case "EphemeralVolume":
      return { ephemeral: {} };
    case "EmptyDir":
      return { emptyDir: {} };
    case "HostPath":
      return { hostPath: { path: textOf(fields, "Path") ?? "" } };
    case "Projected":
      return { projected: { sources: projectedSources(fields) } };
    default:
      return {};
  }
}

function projectedSources(fields: readonly DescribedField[]): Record<string, unknown>[] {
  return fields.flatMap((field): Record<string, unknown>[] => {
    const [name] = field.values;
    if (name === undefined) return [];
    // The name and whether it is optional stand in fields of their own, in this order.
    const at = fields.indexOf(field);
    const [isOptional] = fields[at + 1]?.values ?? [];
    const optional = isOptional === "true" ? { optional: true } : {};
    if (field.name === "ConfigMapName") return [{ configMap: { name, ...optional } }];
    return field.name === "SecretName" ? [{ secret: { name, ...optional } }] : [];
  });
}
