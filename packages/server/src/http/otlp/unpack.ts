/** Undoes the content encoding of an export, within a limit, so that a small body cannot become a huge one. */

import { promisify } from "node:util";
import { gunzip } from "node:zlib";

import { PlatformError } from "@faultline/protocol";

const gunzipAsync = promisify(gunzip);

/** The bytes behind `content-encoding`. Throws `media_type_unsupported`, `request_malformed` or `request_too_large`. */
export async function unpackBody(
  body: Buffer,
  contentEncoding: string | undefined,
  bytesMax: number,
): Promise<Buffer> {
  const encoding = contentEncoding?.trim().toLowerCase() ?? "identity";
  if (encoding === "identity" || encoding === "") return body;
  if (encoding !== "gzip") {
    throw new PlatformError(
      "media_type_unsupported",
      `The content encoding ${JSON.stringify(encoding.slice(0, 40))} is not read here.`,
      {
        where: "header content-encoding",
        hint: "Send gzip or no encoding: OTEL_EXPORTER_OTLP_COMPRESSION=gzip or none.",
      },
    );
  }
  try {
    return await gunzipAsync(body, { maxOutputLength: bytesMax });
  } catch (error) {
    if (error instanceof RangeError) {
      throw new PlatformError(
        "request_too_large",
        `The body is larger than ${bytesMax} bytes after gzip.`,
        {
          where: "body",
          hint: "Send smaller batches, or raise `otlp.unpackedMegabytesMax`.",
          cause: error,
        },
      );
    }
    throw new PlatformError(
      "request_malformed",
      "The body is announced as gzip, but is no whole gzip stream.",
      {
        where: "body",
        hint: "Does something between the exporter and Faultline change or cut the body?",
        cause: error,
      },
    );
  }
}
