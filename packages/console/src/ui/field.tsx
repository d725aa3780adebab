/** Fields of a form: a label above, the control, and what it wants below. */

import { type ComponentProps, type ReactNode, useId } from "react";

const controlClass =
  "w-full rounded-md border border-line-strong bg-surface px-2.5 text-sm text-ink shadow-panel hover:border-ink-3 focus-visible:outline-offset-0";

function Frame({
  id,
  label,
  hint,
  isLabelHidden = false,
  children,
}: {
  id: string;
  label: string;
  hint: ReactNode;
  isLabelHidden?: boolean | undefined;
  children: ReactNode;
}) {
  return (
    <div className="flex min-w-0 flex-col gap-1">
      <label htmlFor={id} className={isLabelHidden ? "sr-only" : "text-xs font-medium text-ink-2"}>
        {label}
      </label>
      {children}
      {hint !== undefined && (
        <p id={`${id}-hint`} className="text-xs text-ink-3">
          {hint}
        </p>
      )}
    </div>
  );
}

interface FieldProps {
  label: string;
  hint?: ReactNode;
  /** Where what stands beside the field names it for the eye. */
  isLabelHidden?: boolean;
}

export function TextField({
  label,
  hint,
  ...input
}: Omit<FieldProps, "isLabelHidden"> & ComponentProps<"input">) {
  const id = useId();
  return (
    <Frame id={id} label={label} hint={hint}>
      <input
        {...input}
        id={id}
        aria-describedby={hint === undefined ? undefined : `${id}-hint`}
        className={`${controlClass} h-8 ${input.className ?? ""}`}
      />
    </Frame>
  );
}

export function TextArea({
  label,
  hint,
  ...input
}: Omit<FieldProps, "isLabelHidden"> & ComponentProps<"textarea">) {
  const id = useId();
  return (
    <Frame id={id} label={label} hint={hint}>
      <textarea
        rows={2}
        {...input}
        id={id}
        aria-describedby={hint === undefined ? undefined : `${id}-hint`}
        className={`${controlClass} min-h-16 py-1.5 ${input.className ?? ""}`}
      />
    </Frame>
  );
}

export function SelectField({
  label,
  hint,
  isLabelHidden,
  children,
  ...input
}: FieldProps & ComponentProps<"select">) {
  const id = useId();
  return (
    <Frame id={id} label={label} hint={hint} isLabelHidden={isLabelHidden}>
      <select
        {...input}
        id={id}
        aria-describedby={hint === undefined ? undefined : `${id}-hint`}
        className={`${controlClass} h-8 ${input.className ?? ""}`}
      >
        {children}
      </select>
    </Frame>
  );
}
