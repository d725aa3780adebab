/** Buttons. One that may not be used stays in its place and says why. */

import { type ComponentProps, type ReactNode, useId } from "react";

import { Icon, type IconName } from "./icon.tsx";

type Variant = "primary" | "secondary" | "quiet";

const variants: Readonly<Record<Variant, string>> = {
  primary:
    "bg-accent text-on-accent hover:bg-accent-strong aria-disabled:bg-sunken aria-disabled:text-ink-3 aria-disabled:ring-1 aria-disabled:ring-line aria-disabled:ring-inset",
  secondary:
    "bg-surface text-ink ring-1 ring-inset ring-line-strong hover:bg-sunken aria-disabled:text-ink-3 aria-disabled:ring-line aria-disabled:bg-sunken",
  quiet: "text-ink-2 hover:bg-sunken hover:text-ink aria-disabled:text-ink-3",
};

/** The look of a button, for links that act like one. */
export function buttonClass(variant: Variant = "secondary"): string {
  return `inline-flex h-8 items-center justify-center gap-1.5 rounded-md px-3 text-sm font-medium whitespace-nowrap transition-colors aria-disabled:cursor-not-allowed ${variants[variant]}`;
}

interface ButtonProps extends Omit<ComponentProps<"button">, "disabled"> {
  variant?: Variant;
  icon?: IconName;
  /** Why it may not be pressed now; absent while it may. */
  disabledReason?: string | undefined;
  /** What it says while its work is under way. */
  busyLabel?: string | undefined;
  busy?: boolean;
  children: ReactNode;
}

export function Button(props: ButtonProps) {
  const {
    variant,
    icon,
    disabledReason,
    busy = false,
    busyLabel,
    children,
    onClick,
    ...rest
  } = props;
  const reasonId = useId();
  const idle = disabledReason === undefined && !busy;
  const button = (
    <button
      type="button"
      {...rest}
      aria-disabled={idle ? undefined : true}
      aria-describedby={disabledReason === undefined ? rest["aria-describedby"] : reasonId}
      onClick={(event) => {
        if (idle) onClick?.(event);
        else event.preventDefault();
      }}
      className={`${buttonClass(variant)} ${rest.className ?? ""}`}
    >
      {icon !== undefined && <Icon name={icon} className="size-3.5" />}
      {busy ? (busyLabel ?? children) : children}
    </button>
  );
  if (disabledReason === undefined) return button;
  return (
    <span className="inline-flex flex-wrap items-center gap-x-3 gap-y-1">
      {button}
      <span id={reasonId} className="text-xs text-ink-3">
        {disabledReason}
      </span>
    </span>
  );
}
