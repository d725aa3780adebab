/**
 * What a journal asks of a file system. A port, so that a simulated disk can lose what was not synced, fail the
 * n-th call and flip bits. Errors are those of Node, with the code of the operating system.
 */

/** `create` fails when the file exists; `update` and `read` fail when it does not. */
export type FileMode = "read" | "create" | "update";

export interface JournalFileSystem {
  /** Makes a folder and those above it that are missing, and syncs what it changed. */
  makeFolder(folder: string): Promise<void>;
  /** The names in the folder, in any order. */
  list(folder: string): Promise<readonly string[]>;
  open(path: string, mode: FileMode): Promise<JournalFile>;
  /** Durable only after `syncFolder`. Replaces what stands at `to`. */
  rename(from: string, to: string): Promise<void>;
  /** Durable only after `syncFolder`. */
  remove(path: string): Promise<void>;
  /** Makes new, renamed and removed names in the folder durable. */
  syncFolder(folder: string): Promise<void>;
  /** Makes the caller the one writer of the folder until disposal, or throws `journal_locked`. A dead holder holds nothing. */
  lock(folder: string): Promise<AsyncDisposable>;
}

export interface JournalFile {
  size(): Promise<number>;
  /** Reads into the whole of `into` from `offset`, as far as there are bytes; gives how many. */
  read(into: Uint8Array, offset: number): Promise<number>;
  /** Writes at `offset` and gives how many bytes were taken, which may be fewer. */
  write(bytes: Uint8Array, offset: number): Promise<number>;
  truncate(length: number): Promise<void>;
  /** Makes the content and the length durable (`fdatasync`). A failure says nothing about what the disk now holds. */
  sync(): Promise<void>;
  close(): Promise<void>;
}
