/** What the name of a Go function says about whose it is. */

const standardRoots: ReadonlySet<string> = new Set(
  "archive bufio bytes cmp compress container context crypto database debug embed encoding errors expvar flag fmt go hash html image index internal io iter log maps math mime net os path plugin reflect regexp runtime slices sort strconv strings structs sync syscall testing text time unicode unique unsafe vendor weak".split(
    " ",
  ),
);

/** `net/http` of `net/http.(*conn).serve`. */
export function packageOf(name: string): string {
  const slash = name.lastIndexOf("/");
  const point = name.indexOf(".", slash + 1);
  return point < 0 ? name : name.slice(0, point);
}

/** Functions of Node itself, as `readFileSync (node:fs)`. */
const ofNode = / \(node:[^)]*\)$/;

/** Whether a function belongs to Go, or to Node, itself. */
export function isStandard(name: string): boolean {
  if (name.endsWith(")") && ofNode.test(name)) return true;
  const [root = ""] = packageOf(name).split("/", 1);
  return standardRoots.has(root);
}

/** Whether a file was put there by the module system, and is nobody's own. */
export function isOfModule(file: string | undefined): boolean {
  return file !== undefined && /\/pkg\/mod\/|\/vendor\/|@v\d/.test(file);
}
