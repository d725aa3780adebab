/** `faultline backup`: writes, restores and verifies an archive of everything the platform keeps. */

import { join } from "node:path";

import type { BackupManifest, BackupProgress } from "@faultline/server";

import { type Command, type CommandContext, UsageError } from "../command.ts";
import { switchOption } from "../connection.ts";
import { readConfig, serverOptions } from "../server-options.ts";

const { data, config, "log-level": logLevel } = serverOptions;

export const command: Command = {
  summary: "write, restore and verify an archive of the database and the blobs",
  usage: ["backup create FILE", "backup verify FILE", "backup restore FILE --data FOLDER"],
  options: {
    data,
    config,
    "log-level": logLevel,
    json: { type: "boolean", description: "print the archive's manifest as JSON" },
  },
  notes: [
    "create works beside a running platform; restore wants a data folder (or a DATABASE_URL) that is empty, of any",
    "PostgreSQL version that the platform runs on. The format is described in docs/formats/backup.md.",
  ],
  async run(context) {
    const [action, file] = context.positionals;
    if (action !== "create" && action !== "verify" && action !== "restore") {
      throw new UsageError(`'${action ?? ""}' is none of create, verify, restore.`);
    }
    if (file === undefined) throw new UsageError(`backup ${action} needs a FILE.`);
    const manifest = await runAction(context, action, file);
    const { terminal } = context;
    if (switchOption(context, "json")) terminal.print(JSON.stringify(manifest, undefined, 2));
    else terminal.print(summary(action, file, manifest));
    return 0;
  },
};

async function runAction(
  context: CommandContext,
  action: "create" | "verify" | "restore",
  file: string,
): Promise<BackupManifest> {
  const { createBackup, createLogger, openBlobs, reachPostgres, restoreBackup, verifyBackup } =
    await import("@faultline/server");
  const { signal, clock } = context;
  const onProgress = (progress: BackupProgress): void =>
    context.terminal.note(progressLine(progress));
  if (action === "verify") return await verifyBackup({ file, signal, onProgress });

  const config = await readConfig(context);
  const logger = createLogger({ ...config.log, level: "warn" });
  const { dataFolder, databaseUrl } = config;
  const mustExist = action === "create";
  const where = { dataFolder, databaseUrl, mustExist };
  await using postgres = await reachPostgres({ ...where, clock, logger, signal });
  const blobs = await openBlobs(join(dataFolder, "blobs"));
  return action === "create"
    ? await createBackup({ postgres, blobs, file, clock, signal, onProgress })
    : await restoreBackup({ file, postgres, blobs, logger, signal, onProgress });
}

function progressLine({ stage, item, bytesDone, bytesTotal }: BackupProgress): string {
  const total = bytesTotal === undefined ? "" : ` of ${megabytes(bytesTotal)}`;
  return `${stage}: ${item}, ${megabytes(bytesDone)}${total}`;
}

function summary(
  action: "create" | "verify" | "restore",
  file: string,
  manifest: BackupManifest,
): string {
  const rows = manifest.tables.reduce((total, table) => total + table.rowCount, 0);
  const what = `${rows} rows of ${manifest.tables.length} tables and ${manifest.blobs.count} blobs, taken ${manifest.createdAt} from PostgreSQL ${manifest.postgresVersion}`;
  const words = { create: "Wrote", verify: "Whole:", restore: "Restored" } as const;
  return `${words[action]} ${file}: ${what}.`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}
