/** A sentence in which words between backticks are code. */

export function Prose({ text }: { text: string }) {
  return text.split(/`([^`]+)`/).map((part, index) =>
    // A split at a group gives text and code by turns.
    index % 2 === 0 ? (
      part
    ) : (
      <code key={index} className="rounded bg-sunken px-1 py-px font-mono text-[0.92em]">
        {part}
      </code>
    ),
  );
}
