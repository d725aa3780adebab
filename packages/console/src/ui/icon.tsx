/** The console's icons: strokes on a 16-pixel grid, always beside a text or with a label. */

import type { ReactNode } from "react";

const shapes = {
  mark: <path d="M1.5 10.5h3.6l1.5-6 2.3 8.5 1.5-5h4.1" />,
  check: <path d="m3 8.5 3.2 3.2L13 4.8" />,
  cross: <path d="m4 4 8 8m0-8-8 8" />,
  question: (
    <>
      <path d="M5.6 6a2.4 2.4 0 1 1 3.5 2.1c-.7.4-1.1.9-1.1 1.7" />
      <path d="M8 12.6v.1" />
    </>
  ),
  warning: (
    <>
      <path d="M8 2.3 14.3 13.4H1.7z" />
      <path d="M8 6.6v3M8 11.5v.1" />
    </>
  ),
  service: (
    <>
      <rect x="2.2" y="3" width="11.6" height="4.2" rx="1.2" />
      <rect x="2.2" y="8.8" width="11.6" height="4.2" rx="1.2" />
      <path d="M4.7 5.1h.1M4.7 10.9h.1" />
    </>
  ),
  database: (
    <>
      <ellipse cx="8" cy="3.8" rx="5.2" ry="1.9" />
      <path d="M2.8 3.8v8.4c0 1 2.3 1.9 5.2 1.9s5.2-.9 5.2-1.9V3.8M2.8 8c0 1 2.3 1.9 5.2 1.9S13.2 9 13.2 8" />
    </>
  ),
  model: (
    <>
      <path d="M8 1.8 9.6 6.4 14.2 8 9.6 9.6 8 14.2 6.4 9.6 1.8 8l4.6-1.6z" />
    </>
  ),
  tool: (
    <path d="M9.8 6.2a3.2 3.2 0 0 0-4.5-3.5l1.9 1.9-.4 2-2 .4-1.9-1.9a3.2 3.2 0 0 0 4.3 4.2l4 4a1.4 1.4 0 0 0 2-2z" />
  ),
  credit: (
    <>
      <ellipse cx="8" cy="4.4" rx="5.2" ry="2.2" />
      <path d="M2.8 4.4v3.4c0 1.2 2.3 2.2 5.2 2.2s5.2-1 5.2-2.2V4.4M2.8 7.8v3.6c0 1.2 2.3 2.2 5.2 2.2s5.2-1 5.2-2.2V7.8" />
    </>
  ),
  clock: (
    <>
      <circle cx="8" cy="8" r="5.8" />
      <path d="M8 4.8V8l2.2 1.6" />
    </>
  ),
  pin: (
    <>
      <path d="M8 14.2s4.6-4.3 4.6-7.7a4.6 4.6 0 1 0-9.2 0c0 3.4 4.6 7.7 4.6 7.7z" />
      <circle cx="8" cy="6.5" r="1.5" />
    </>
  ),
  sun: (
    <>
      <circle cx="8" cy="8" r="2.8" />
      <path d="M8 1.4v1.3M8 13.3v1.3M1.4 8h1.3M13.3 8h1.3M3.3 3.3l1 1M11.7 11.7l1 1M3.3 12.7l1-1M11.7 4.3l1-1" />
    </>
  ),
  moon: <path d="M13.4 9.6A5.8 5.8 0 0 1 6.4 2.6a5.8 5.8 0 1 0 7 7z" />,
  system: (
    <>
      <rect x="1.8" y="2.6" width="12.4" height="8.4" rx="1.4" />
      <path d="M5.6 13.6h4.8M8 11v2.6" />
    </>
  ),
  exit: (
    <path d="M6.2 13.5H3.4a1 1 0 0 1-1-1v-9a1 1 0 0 1 1-1h2.8M10.4 11l3.1-3-3.1-3M13.2 8H6.4" />
  ),
  chevron: <path d="m6 3.8 4.2 4.2L6 12.2" />,
  download: (
    <path d="M8 2v8m0 0 3-3m-3 3L5 7M2.6 11.6v1.2c0 .6.5 1.1 1.1 1.1h8.6c.6 0 1.1-.5 1.1-1.1v-1.2" />
  ),
  document: (
    <>
      <path d="M9.4 1.8H4.2c-.6 0-1 .4-1 1v10.4c0 .6.4 1 1 1h7.6c.6 0 1-.4 1-1V5.2z" />
      <path d="M9.4 1.8v3.4h3.4M5.6 8.4h4.8M5.6 11h3.2" />
    </>
  ),
  copy: (
    <>
      <rect x="5.4" y="5.4" width="8.4" height="8.4" rx="1.4" />
      <path d="M10.6 5.2V3.4c0-.7-.6-1.2-1.2-1.2h-6c-.7 0-1.2.5-1.2 1.2v6c0 .6.5 1.2 1.2 1.2h1.8" />
    </>
  ),
  plus: <path d="M8 3v10M3 8h10" />,
  arrow: <path d="M2.6 8h10.6m0 0L9.6 4.4M13.2 8l-3.6 3.6" />,
  fold: <path d="M3 3.4h10M3 12.6h10M5.4 6.6h5.2M5.4 9.4h5.2" />,
} as const satisfies Record<string, ReactNode>;

export type IconName = keyof typeof shapes;

/** A decoration: the text beside it carries the meaning. */
export function Icon({ name, className = "size-4" }: { name: IconName; className?: string }) {
  return (
    <svg
      aria-hidden="true"
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.5"
      strokeLinecap="round"
      strokeLinejoin="round"
      className={`shrink-0 ${className}`}
    >
      {shapes[name]}
    </svg>
  );
}
