/** Turns failures of the driver and the server into errors of the platform, where the platform has a word for them. */

import { PlatformError } from "@faultline/protocol";
import { DatabaseError } from "pg";

import { isAbort } from "#kernel/index.ts";

/** SQLSTATE codes that say the server is away, going away or full of sessions. */
const unavailableCodes: readonly string[] = ["57P01", "57P02", "57P03", "57P05", "53300", "25P03"];
const queryCancelled = "57014";
const diskFull = "53100";

/** Messages of `pg` that carry no code and mean a lost or refused connection. */
const connectionMessages =
  /^(Connection terminated|timeout expired|timeout exceeded when trying to connect|Client has encountered a connection error|Client was closed|Cannot use a pool after calling end)/;

/**
 * Gives the error that callers see. Errors of the platform, aborts, and errors of SQL itself (a broken constraint,
 * a syntax error) pass unchanged.
 */
export function mapDatabaseError(error: unknown): unknown {
  if (error instanceof PlatformError || isAbort(error)) return error;
  if (!(error instanceof Error)) return error;
  if (error instanceof DatabaseError) return mapServerError(error);
  return isConnectionFailure(error) ? unavailable("The database cannot be reached.", error) : error;
}

function mapServerError(error: DatabaseError): unknown {
  const code = error.code ?? "";
  if (code === queryCancelled) {
    return unavailable("A statement ran past its time limit and was cancelled.", error);
  }
  if (code === diskFull) {
    return new PlatformError("storage_full", "The database's disk is full.", {
      cause: error,
      hint: "Free space on the disk of the data folder; nothing needs to be started anew.",
    });
  }
  if (code.startsWith("08") || unavailableCodes.includes(code)) {
    return unavailable(`The database ended the session: ${error.message}.`, error);
  }
  return error;
}

function unavailable(message: string, cause: Error): PlatformError {
  return new PlatformError("database_unavailable", message, { cause, hint: "Try again." });
}

function isConnectionFailure(error: Error): boolean {
  if (connectionMessages.test(error.message)) return true;
  if (error instanceof AggregateError) {
    return error.errors.some((inner) => inner instanceof Error && isConnectionFailure(inner));
  }
  // Failures of the socket carry the system call that failed.
  return "syscall" in error && "code" in error;
}
