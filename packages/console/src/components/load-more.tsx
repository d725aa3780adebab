/** The end of a list that goes on: asks for the next page. */

import { Button } from "../ui/button.tsx";

export function LoadMore({
  label,
  list,
}: {
  label: string;
  list: { hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage: () => unknown };
}) {
  if (!list.hasNextPage) return null;
  return (
    <div className="flex justify-center border-t border-line p-3">
      <Button
        busy={list.isFetchingNextPage}
        busyLabel="Loading…"
        onClick={() => void list.fetchNextPage()}
      >
        {label}
      </Button>
    </div>
  );
}
