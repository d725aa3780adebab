/** One sentence that is noted on a case: a mitigation, or the reason for closing it. */

import { type ReactNode, useState } from "react";

import { Button } from "../ui/button.tsx";
import { ErrorState } from "../ui/error-state.tsx";
import { TextArea } from "../ui/field.tsx";

export function CaseNoteForm(props: {
  name: string;
  label: string;
  hint: ReactNode;
  action: string;
  busy: boolean;
  error: Error | null;
  disabledReason: string | undefined;
  /** Sends the text; `onDone` empties the field once it is noted. */
  onSend: (text: string, onDone: () => void) => void;
}) {
  const [text, setText] = useState("");
  return (
    <form
      aria-label={props.name}
      className="flex flex-col gap-2"
      onSubmit={(event) => {
        event.preventDefault();
        if (props.disabledReason === undefined) props.onSend(text.trim(), () => setText(""));
      }}
    >
      <TextArea
        label={props.label}
        hint={props.hint}
        required
        maxLength={2_048}
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      {props.error !== null && (
        <div className="-mx-4 -my-2">
          <ErrorState error={props.error} />
        </div>
      )}
      <div>
        <Button
          type="submit"
          busy={props.busy}
          busyLabel="Noting…"
          disabledReason={props.disabledReason}
        >
          {props.action}
        </Button>
      </div>
    </form>
  );
}
