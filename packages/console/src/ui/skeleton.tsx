/** The shape of what is being loaded. */

export function Skeleton({ label, rows = 5 }: { label: string; rows?: number }) {
  return (
    <div role="status" aria-label={label} className="flex flex-col gap-3 p-4">
      {Array.from({ length: rows }, (_, index) => (
        <div
          key={index}
          className={`h-4 animate-breathe rounded bg-line ${["w-11/12", "w-4/5", "w-full", "w-3/5"][index % 4]}`}
        />
      ))}
    </div>
  );
}
