/** Where a link leads nowhere. */

import { Link } from "@tanstack/react-router";

import { buttonClass } from "../ui/button.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { paths } from "../util/paths.ts";

export function MissingPage() {
  return (
    <EmptyState icon="question" title="There is no page here">
      <title>Nothing here · Faultline</title>
      <p>The link may be mistyped.</p>
      <p>
        <Link {...paths.overview()} className={buttonClass()}>
          To the overview
        </Link>
      </p>
    </EmptyState>
  );
}
