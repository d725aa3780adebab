/** Checks files away from the page, so that it stays alive. The bytes never leave this worker but as what the page downloads. */

import {
  checkReport,
  type CheckReport,
  checkSnapshot,
  contracts,
  encodeSnapshotFile,
  EvidenceReader,
  evidenceWords,
  type EvidenceSink,
  type Snapshot,
  snapshotOf,
  type UnreadableFile,
} from "@faultline/contracts";

import type { FromWorker, GivenFile, ToWorker, Unlooked } from "./check-messages.ts";

/** Told anew after so many bytes. */
const stepBytes = 1_000_000;

interface Checked {
  readonly snapshot: Snapshot;
  readonly report: CheckReport;
}

/** Answers the page's messages one after another; a fault of ours is told, not lost. */
class CheckWorker {
  #checked: Checked | undefined;

  async answer(message: ToWorker): Promise<void> {
    try {
      switch (message.kind) {
        case "check":
          this.#checked = await check(message.files, message.unlooked);
          break;
        case "write-report":
          this.#writeReport();
          break;
        case "write-snapshot":
          this.#writeSnapshot();
          break;
      }
    } catch (error) {
      tell({ kind: "failed", message: error instanceof Error ? error.message : String(error) });
    }
  }

  #writeReport(): void {
    if (this.#checked === undefined) return;
    const text = `${JSON.stringify(this.#checked.report, undefined, 2)}\n`;
    const blob = new Blob([text], { type: "application/json" });
    tell({ kind: "written", fileName: "faultline-report.json", blob });
  }

  #writeSnapshot(): void {
    if (this.#checked === undefined) return;
    // The archive is built in a buffer that nobody shares.
    const bytes = encodeSnapshotFile(this.#checked.snapshot) as Uint8Array<ArrayBuffer>;
    const blob = new Blob([bytes], { type: "application/octet-stream" });
    tell({ kind: "written", fileName: "evidence.faultline", blob });
  }
}

async function check(files: readonly GivenFile[], unlooked: readonly Unlooked[]): Promise<Checked> {
  const read = await readFiles(files);
  const named = new Set(files.filter(({ isNamed }) => isNamed).map(({ name }) => name));
  const isPassedOver = ({ name, isUnknownForm }: UnreadableFile): boolean =>
    isUnknownForm === true && !named.has(name);
  const snapshot = snapshotOf(read.evidence);
  const words = evidenceWords(snapshot.evidence);
  tell({ kind: "judging", evidenceWords: words, contractCount: contracts.length });
  const report = checkReport({
    snapshot,
    contracts,
    findings: checkSnapshot(snapshot, contracts),
    unreadable: [...unlooked, ...read.unreadable.filter((file) => !isPassedOver(file))],
    passedOver: read.unreadable.filter(isPassedOver).map(({ name }) => name),
  });
  tell({ kind: "checked", report, evidenceWords: words });
  return { snapshot, report };
}

async function readFiles(files: readonly GivenFile[]) {
  let fileNumber = 0;
  let fileName = "";
  let toldBytes = -stepBytes;
  const reader = new EvidenceReader({
    onProgress: ({ bytesRead, spanCount }) => {
      if (bytesRead - toldBytes < stepBytes) return;
      toldBytes = bytesRead;
      tell({ kind: "reading", fileName, fileNumber, bytesRead, spanCount });
    },
  });
  const lost: UnreadableFile[] = [];
  for (const { name, file } of files) {
    fileNumber += 1;
    fileName = name;
    try {
      await pour(file, reader.open(name, file.size));
    } catch (error) {
      if (!(error instanceof DOMException)) throw error;
      lost.push(unlookedOf(name, error));
    }
  }
  const { evidence, unreadable } = reader.finish();
  return { evidence, unreadable: [...lost, ...unreadable] };
}

async function pour(file: File, sink: EvidenceSink): Promise<void> {
  const chunks = file.stream().getReader();
  try {
    while (!sink.isRefused && sink.isSatisfied !== true) {
      const { done, value } = await chunks.read();
      if (done) break;
      sink.push(value);
    }
    if (!sink.isRefused) sink.end();
  } finally {
    await chunks.cancel().catch(() => undefined);
  }
}

/** A file that changed, went away or may not be read since it was handed over. */
function unlookedOf(name: string, { name: kind, message }: DOMException): UnreadableFile {
  return {
    name,
    message: kind === "NotFoundError" ? "There is no such file or folder." : message,
    expected: "a file or folder that may be read",
    code: "evidence_unreadable",
  };
}

function tell(message: FromWorker): void {
  self.postMessage(message);
}

const worker = new CheckWorker();
self.addEventListener("message", (event: MessageEvent<ToWorker>) => void worker.answer(event.data));
