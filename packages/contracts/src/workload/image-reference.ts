/** References to images, as `registry.example.com:5000/team/app:1.2@sha256:…`. */

export interface ImageReference {
  /** `docker.io` where none is written. */
  readonly registry: string;
  readonly repository: string;
  readonly tag: string | undefined;
  readonly digest: string | undefined;
}

/** The parts of a reference, or why a runtime cannot parse it. */
export function parseImage(text: string): ImageReference | { readonly fault: string } {
  if (text === "") return { fault: "it is empty" };
  if (/^https?:\/\//.test(text))
    return { fault: "it begins with a URL's scheme; a reference has none" };
  if (/\$\{|\$\(|\{\{|<[^>]*>/.test(text)) {
    return { fault: "it holds a placeholder that nothing filled in" };
  }
  if (/\s/.test(text)) return { fault: "it holds white space" };
  const [beforeDigest = "", digest, ...more] = text.split("@");
  if (more.length > 0) return { fault: "it holds more than one @" };
  if (digest !== undefined && !/^[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[0-9a-fA-F]{32,}$/.test(digest)) {
    return { fault: `its digest ${digest} is none` };
  }
  const slash = beforeDigest.lastIndexOf("/");
  const colon = beforeDigest.indexOf(":", slash + 1);
  const path = colon < 0 ? beforeDigest : beforeDigest.slice(0, colon);
  const tag = colon < 0 ? undefined : beforeDigest.slice(colon + 1);
  if (tag !== undefined && !/^\w[\w.-]{0,127}$/.test(tag)) {
    return {
      fault: tag === "" ? "it ends with a colon and no tag" : `its tag ${tag} is malformed`,
    };
  }
  const [first = "", ...rest] = path.split("/");
  const hasRegistry = rest.length > 0 && (/[.:]/.test(first) || first === "localhost");
  const repository = hasRegistry ? rest.join("/") : path;
  if (repository !== repository.toLowerCase()) {
    return { fault: `its repository ${repository} has upper-case letters` };
  }
  if (
    !/^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/.test(
      repository,
    )
  ) {
    return { fault: `its repository '${repository}' is malformed` };
  }
  return { registry: hasRegistry ? first : "docker.io", repository, tag, digest };
}
