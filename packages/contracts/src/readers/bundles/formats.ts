/** The format of behaviour bundles. */

import type { EvidenceFormat } from "../format.ts";
import { readBundles, recogniseBundle } from "./read-bundle.ts";

export const bundleFormats: readonly EvidenceFormat[] = [
  {
    name: "bundle",
    description: "versions of behaviour, as `faultline bundle show` prints them or as they are put",
    recognise: ({ head }) => head !== undefined && recogniseBundle(head),
    read: readBundles,
  },
];
