/** `/cases`: all of them, or those in one state. */

import type { CaseStatus } from "@faultline/protocol";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";

import { casesQuery } from "../api/queries.ts";
import { CaseTable } from "../components/case-table.tsx";
import { LoadMore } from "../components/load-more.tsx";
import { buttonClass } from "../ui/button.tsx";
import { CommandLine } from "../ui/command-line.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { Icon } from "../ui/icon.tsx";
import { Page } from "../ui/page.tsx";
import { Panel } from "../ui/panel.tsx";
import { QueryView } from "../ui/query-view.tsx";
import { Segments, segmentClass } from "../ui/segments.tsx";
import { formatCount } from "../util/format.ts";
import { paths } from "../util/paths.ts";
import type { CasesSearch } from "../util/search.ts";

const choices: readonly (readonly [string, CaseStatus | undefined])[] = [
  ["All", undefined],
  ["Open", "open"],
  ["Proved", "proved"],
  ["Closed", "closed"],
];

export function CasesPage({ search }: { search: CasesSearch }) {
  const list = useInfiniteQuery(casesQuery(search));
  const cases = list.data?.pages.flatMap((page) => page.cases) ?? [];
  return (
    <Page
      title="Cases"
      lead="Each leads from a symptom to a cause that a machine has verified."
      actions={
        <>
          <Segments label="Status of the cases">
            {choices.map(([name, status]) => (
              <Link
                key={name}
                {...paths.cases(status === undefined ? {} : { status })}
                activeProps={{}}
                aria-current={status === search.status ? "page" : undefined}
                className={segmentClass}
              >
                {name}
              </Link>
            ))}
          </Segments>
          <Link {...paths.openCase()} className={buttonClass("primary")}>
            <Icon name="plus" className="size-3.5" />
            Open a case
          </Link>
        </>
      }
    >
      <Panel
        title="Cases"
        note={
          list.data === undefined
            ? undefined
            : `${formatCount(cases.length)}${list.hasNextPage ? " so far" : ""}`
        }
        flush
      >
        <QueryView query={list} loadingLabel="Loading cases">
          {() =>
            cases.length === 0 ? (
              <NoCases status={search.status} />
            ) : (
              <>
                <CaseTable cases={cases} />
                <LoadMore label="Show older cases" list={list} />
              </>
            )
          }
        </QueryView>
      </Panel>
    </Page>
  );
}

function NoCases({ status }: { status: CaseStatus | undefined }) {
  return (
    <EmptyState icon="pin" title={status === undefined ? "No case yet" : `No case is ${status}`}>
      <p>
        Open one when something is slow or wrong: it collects the traces of the subject, freezes
        them, and runs the contracts over them.
      </p>
      <CommandLine
        label="From a terminal"
        lines={[
          `npx faultline case open "The order list is slow" \\`,
          `  --subject service:orders --since 15m`,
        ]}
      />
    </EmptyState>
  );
}
