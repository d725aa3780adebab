/** Where files are dropped or chosen: by mouse, by keyboard, one by one or as folders. */

import { useRef, useState } from "react";

import { droppedItems, filesOfChooser, filesOfDrop, type Given } from "../check/given-files.ts";
import { Button } from "../ui/button.tsx";
import { Icon } from "../ui/icon.tsx";

export function FileDrop({
  onGiven,
  hint,
}: {
  onGiven: (given: Promise<Given> | Given) => void;
  hint: string;
}) {
  const [isOver, setIsOver] = useState(false);
  const files = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const take = (input: HTMLInputElement): void => {
    if (input.files !== null && input.files.length > 0) onGiven(filesOfChooser(input.files));
    // The same file may be chosen again after it changed.
    input.value = "";
  };
  return (
    <div
      role="group"
      aria-label="Files to check"
      className={`flex flex-col items-center gap-3 rounded-xl border-2 border-dashed px-4 py-8 text-center transition-colors ${isOver ? "border-accent bg-accent-soft" : "border-line-strong bg-surface"}`}
      onDragOver={(event) => {
        event.preventDefault();
        event.dataTransfer.dropEffect = "copy";
        setIsOver(true);
      }}
      onDragLeave={() => setIsOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setIsOver(false);
        const items = droppedItems(event.dataTransfer);
        if (items.length > 0) onGiven(filesOfDrop(items));
      }}
    >
      <span className="grid size-10 place-items-center rounded-full bg-accent-soft text-accent">
        <Icon name="document" className="size-5" />
      </span>
      <p className="text-base font-semibold">Drop files or folders here</p>
      <p className="max-w-2xl text-sm text-ink-2">{hint}</p>
      <div className="flex flex-wrap justify-center gap-2">
        <Button variant="primary" onClick={() => files.current?.click()}>
          Choose files
        </Button>
        <Button onClick={() => folder.current?.click()}>Choose a folder</Button>
      </div>
      <input
        ref={files}
        type="file"
        multiple
        hidden
        aria-label="Files"
        onChange={(event) => take(event.currentTarget)}
      />
      <input
        ref={(input) => {
          // React knows no attribute of this name.
          if (input !== null) input.webkitdirectory = true;
          folder.current = input;
        }}
        type="file"
        hidden
        aria-label="Folder"
        onChange={(event) => take(event.currentTarget)}
      />
    </div>
  );
}
