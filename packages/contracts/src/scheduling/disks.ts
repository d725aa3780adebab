/** Disks that a pod names directly, without a claim, and that cannot be mounted by everybody at once. */

import type { Fields } from "../model/fields.ts";
import { isPresentAt, isTrueAt, listAt, textAt, textListAt } from "../kubernetes/fields.ts";

/** A disk of a pod. Two pods conflict over it unless both mount it read-only, where the kind allows that. */
export interface Disk {
  readonly kind: "gce-pd" | "aws-ebs" | "iscsi" | "rbd";
  /** What names the disk; for RBD besides one of the monitors. */
  readonly id: string;
  readonly monitors: readonly string[];
  readonly isReadOnly: boolean;
}

/** The disks of a pod's specification. */
export function readDisks(spec: Fields): Disk[] {
  return listAt(spec, "volumes").flatMap((volume): Disk[] => {
    const disk = (field: string, kind: Disk["kind"], names: readonly string[]): Disk[] => {
      if (!isPresentAt(volume, field)) return [];
      const id = names.map((name) => textAt(volume, field, name) ?? "").join("/");
      const isReadOnly = isTrueAt(volume, field, "readOnly");
      return [{ kind, id, monitors: textListAt(volume, field, "monitors"), isReadOnly }];
    };
    return [
      ...disk("gcePersistentDisk", "gce-pd", ["pdName"]),
      ...disk("awsElasticBlockStore", "aws-ebs", ["volumeID"]),
      ...disk("iscsi", "iscsi", ["iqn"]),
      ...disk("rbd", "rbd", ["pool", "image"]),
    ];
  });
}

/** Whether two pods cannot use their disks on one node. */
export function disksConflict(left: Disk, right: Disk): boolean {
  if (left.kind !== right.kind || left.id !== right.id) return false;
  if (left.kind === "rbd" && !left.monitors.some((name) => right.monitors.includes(name)))
    return false;
  // An EBS volume is attached to one pod alone, however it is mounted.
  return left.kind === "aws-ebs" || !(left.isReadOnly && right.isReadOnly);
}
