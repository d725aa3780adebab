/** Lines to type in a terminal, with a button that copies them. */

import { useState } from "react";

import { Icon } from "./icon.tsx";

export function CommandLine({ label, lines }: { label: string; lines: readonly string[] }) {
  const [copy, setCopy] = useState<"idle" | "copied" | "refused">("idle");
  const text = lines.join("\n");
  return (
    <figure className="min-w-0 text-left">
      <figcaption className="mb-1 flex items-center gap-2 text-xs text-ink-3">
        {label}
        <button
          type="button"
          aria-label={`Copy: ${label}`}
          className="ml-auto inline-flex items-center gap-1 rounded px-1.5 py-0.5 text-ink-2 hover:bg-sunken hover:text-ink"
          onClick={() => {
            navigator.clipboard.writeText(text).then(
              () => setCopy("copied"),
              () => setCopy("refused"),
            );
          }}
        >
          <Icon name={copy === "copied" ? "check" : "copy"} className="size-3" />
          <span aria-live="polite">
            {copy === "idle" ? "Copy" : copy === "copied" ? "Copied" : "Select and copy by hand"}
          </span>
        </button>
      </figcaption>
      <pre
        tabIndex={0}
        className="overflow-x-auto rounded-lg border border-line bg-sunken px-3 py-2 font-mono text-xs leading-5 text-ink"
      >
        {text}
      </pre>
    </figure>
  );
}
