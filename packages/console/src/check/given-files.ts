/** Finds the files in what a person drops or chooses, as `faultline check` finds those below its paths. */

import { evidenceLimits } from "@faultline/contracts";

import type { GivenFile, Unlooked } from "./check-messages.ts";

/** Folders below a given folder that are walked. */
const folderDepthMax = 32;

/** Files in the order in which they are checked, and what could not be looked at. */
export interface Given {
  readonly files: readonly GivenFile[];
  readonly unlooked: readonly Unlooked[];
}

/** What a drop brings. Must be called before the event ends: afterwards the browser shows it no more. */
export function droppedItems(transfer: DataTransfer): readonly (FileSystemEntry | File)[] {
  return [...transfer.items].flatMap((item) => {
    const found = item.kind === "file" ? (item.webkitGetAsEntry() ?? item.getAsFile()) : null;
    return found === null ? [] : [found];
  });
}

/** The files of a drop; folders are walked. */
export async function filesOfDrop(items: readonly (FileSystemEntry | File)[]): Promise<Given> {
  const search = new DropSearch();
  for (const item of items) await search.take(item);
  return search;
}

/** The files of a file chooser; of one that chooses a folder, those below it. */
export function filesOfChooser(chosen: FileList): Given {
  const files = [...chosen]
    .map((file) => {
      const isNamed = file.webkitRelativePath === "";
      return { name: isNamed ? file.name : file.webkitRelativePath, file, isNamed };
    })
    .filter(({ name, isNamed }) => isNamed || !name.split("/").slice(1).some(isPassedOver));
  const isFolder = files.some(({ isNamed }) => !isNamed);
  const sorted = isFolder
    ? files.toSorted((one, other) => comparePaths(one.name, other.name))
    : files;
  return { files: sorted.slice(0, fileCountKept), unlooked: [] };
}

/** One beyond the limit is kept, so that the reader says what it is. */
const fileCountKept = evidenceLimits.fileCountMax + 1;

class DropSearch implements Given {
  readonly files: GivenFile[] = [];
  readonly unlooked: Unlooked[] = [];

  async take(item: FileSystemEntry | File): Promise<void> {
    if (item instanceof File) this.#keep({ name: item.name, file: item, isNamed: true });
    else await this.#takeEntry(item, 0);
  }

  async #takeEntry(entry: FileSystemEntry, depth: number): Promise<void> {
    if (this.files.length >= fileCountKept) return;
    const name = entry.fullPath.replace(/^\//, "");
    try {
      if (isFile(entry)) {
        const file = await new Promise<File>((resolve, reject) => entry.file(resolve, reject));
        this.#keep({ name, file, isNamed: depth === 0 });
      } else if (isFolder(entry)) await this.#takeFolder(entry, depth);
    } catch (error) {
      if (!(error instanceof DOMException)) throw error;
      this.#refuse(name, error.message, "a file or folder that may be read");
    }
  }

  async #takeFolder(folder: FileSystemDirectoryEntry, depth: number): Promise<void> {
    if (depth > folderDepthMax) {
      const name = folder.fullPath.replace(/^\//, "");
      this.#refuse(name, `It lies more than ${folderDepthMax} folders deep.`, "a flatter folder");
      return;
    }
    const entries = await entriesOf(folder);
    for (const entry of entries.toSorted((one, other) => compare(one.name, other.name))) {
      if (!isPassedOver(entry.name)) await this.#takeEntry(entry, depth + 1);
    }
  }

  #keep(file: GivenFile): void {
    if (this.files.length < fileCountKept) this.files.push(file);
  }

  #refuse(name: string, message: string, expected: string): void {
    this.unlooked.push({ name, message, expected, code: "evidence_unreadable" });
  }
}

/** A browser gives the entries of a folder a hundred at a time, until it gives none. */
async function entriesOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const entries: FileSystemEntry[] = [];
  while (entries.length < fileCountKept * 2) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (some.length === 0) break;
    entries.push(...some);
  }
  return entries;
}

function isFile(entry: FileSystemEntry): entry is FileSystemFileEntry {
  return entry.isFile;
}

function isFolder(entry: FileSystemEntry): entry is FileSystemDirectoryEntry {
  return entry.isDirectory;
}

function isPassedOver(name: string): boolean {
  return name.startsWith(".") || name === "node_modules";
}

/** By the names along the paths, as a walk that sorts each folder meets them. */
function comparePaths(one: string, other: string): number {
  const others = other.split("/");
  for (const [index, name] of one.split("/").entries()) {
    const otherName = others[index];
    if (otherName === undefined) return 1;
    if (name !== otherName) return compare(name, otherName);
  }
  return -1;
}

function compare(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
