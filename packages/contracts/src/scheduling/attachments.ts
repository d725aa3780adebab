/** Which volumes of CSI drivers a pod needs attached to its node. */

import type { KubernetesObject } from "../model/evidence.ts";
import type { Fields } from "../model/fields.ts";
import { fieldsAt, isPresentAt, listAt, textAt } from "../kubernetes/fields.ts";
import type { Source } from "../kubernetes/objects.ts";
import { classOf, type Storage } from "./claims.ts";
import type { Pod } from "./pod.ts";

/**
 * Kinds of volumes that are built into Kubernetes and that the scheduler counts for the CSI driver which serves them
 * today, and what names a volume of each. vSphere is served by one too, and not counted.
 */
const migrated: readonly (readonly [field: string, driver: string, name: string])[] = [
  ["awsElasticBlockStore", "ebs.csi.aws.com", "volumeID"],
  ["gcePersistentDisk", "pd.csi.storage.gke.io", "pdName"],
  ["azureDisk", "disk.csi.azure.com", "diskURI"],
  ["cinder", "cinder.csi.openstack.org", "volumeID"],
];

/** The same for the names of the provisioners in storage classes. */
const migratedProvisioners: Readonly<Record<string, string>> = {
  "kubernetes.io/aws-ebs": "ebs.csi.aws.com",
  "kubernetes.io/gce-pd": "pd.csi.storage.gke.io",
  "kubernetes.io/azure-disk": "disk.csi.azure.com",
  "kubernetes.io/cinder": "cinder.csi.openstack.org",
};

/** Answers which volumes pods need, each pod once. */
export class Attachments {
  readonly #storage: Storage;
  readonly #attached: ReadonlyMap<string, readonly Source[]>;
  readonly #known = new WeakMap<Pod, ReadonlyMap<string, string>>();

  constructor(storage: Storage, attached: readonly Source[]) {
    this.#storage = storage;
    this.#attached = Map.groupBy(
      attached,
      ({ object }) => textAt(object, "spec", "nodeName") ?? "",
    );
  }

  /** The volumes that the cluster has attached to a node, for whatever pod. */
  attachedTo(nodeName: string): ReadonlyMap<string, string> {
    const volumes = new Map<string, string>();
    for (const { object } of this.#attached.get(nodeName) ?? []) {
      const driver = textAt(object, "spec", "attacher") ?? "";
      const name = textAt(object, "spec", "source", "persistentVolumeName") ?? "";
      const volume = this.#storage.volumes.get(name);
      const found = volume === undefined ? undefined : handleOf(volume);
      if (found !== undefined && found.driver === driver)
        volumes.set(`${found.driver}/${found.handle}`, found.driver);
    }
    return volumes;
  }

  /** The driver of each volume, by driver and handle. */
  of(pod: Pod): ReadonlyMap<string, string> {
    const known = this.#known.get(pod);
    if (known !== undefined) return known;
    const volumes = new Map<string, string>();
    for (const { claimName } of pod.claims) {
      const claim = this.#storage.claims.get(`${pod.namespace}/${claimName}`);
      const volume = claim === undefined ? undefined : this.#volumeOf(claim);
      if (volume !== undefined) volumes.set(`${volume.driver}/${volume.handle}`, volume.driver);
    }
    for (const item of listAt(pod.source.object, "spec", "volumes")) {
      const named = builtInVolume(fieldsAt(item));
      if (named !== undefined) volumes.set(`${named.driver}/${named.handle}`, named.driver);
    }
    this.#known.set(pod, volumes);
    return volumes;
  }

  #volumeOf(claim: KubernetesObject): { driver: string; handle: string } | undefined {
    const volume = this.#storage.volumes.get(textAt(claim, "spec", "volumeName") ?? "");
    return volume === undefined ? this.#volumeToBe(claim) : handleOf(volume);
  }

  /** A claim without a volume takes one of its class's driver. */
  #volumeToBe(claim: KubernetesObject): { driver: string; handle: string } | undefined {
    const storageClass = this.#storage.classes.get(classOf(claim, this.#storage));
    const provisioner = textAt(storageClass, "provisioner");
    if (provisioner === undefined) return undefined;
    const { namespace = "default", name } = claim.metadata;
    const driver = migratedProvisioners[provisioner] ?? provisioner;
    return { driver, handle: `claim ${namespace}/${name}` };
  }
}

/** The driver of a volume and what the driver calls the volume. */
function handleOf(volume: KubernetesObject): { driver: string; handle: string } | undefined {
  const driver = textAt(volume, "spec", "csi", "driver");
  if (driver !== undefined) {
    return { driver, handle: textAt(volume, "spec", "csi", "volumeHandle") ?? "" };
  }
  return builtInVolume(fieldsAt(volume, "spec"));
}

function builtInVolume(fields: Fields): { driver: string; handle: string } | undefined {
  const builtIn = migrated.find(([field]) => isPresentAt(fields, field));
  if (builtIn === undefined) return undefined;
  const [field, driver, name] = builtIn;
  return { driver, handle: textAt(fields, field, name) ?? "" };
}
