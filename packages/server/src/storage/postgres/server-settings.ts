/** The settings of the embedded PostgreSQL. */

import { accessFile } from "./cluster.ts";
import { embeddedPort } from "./connection.ts";

/** Settings as the command line gives them: those of this version, whatever an earlier one wrote to the folder. */
const serverSettings: Readonly<Record<string, string>> = {
  listen_addresses: "",
  port: String(embeddedPort),
  unix_socket_permissions: "0700",
  max_connections: "100",
  shared_buffers: "128MB",
  max_wal_size: "1GB",
  // Nothing acknowledged may be lost.
  fsync: "on",
  full_page_writes: "on",
  synchronous_commit: "on",
  jit: "off",
  logging_collector: "off",
  log_destination: "stderr",
  log_timezone: "UTC",
  timezone: "UTC",
  log_line_prefix: "%m [%p] %q%u@%d ",
  // Statements may carry evidence; the log names errors without them.
  log_min_error_statement: "panic",
  log_checkpoints: "off",
};

/** The command line of `postgres` for a cluster and the folder of its socket. */
export function serverArguments(clusterFolder: string, socketFolder: string): string[] {
  const settings = {
    ...serverSettings,
    unix_socket_directories: socketFolder,
    hba_file: accessFile(clusterFolder),
  };
  return [
    "-D",
    clusterFolder,
    ...Object.entries(settings).flatMap(([key, value]) => ["-c", `${key}=${value}`]),
  ];
}
