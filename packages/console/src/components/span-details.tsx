/** Everything that is known about the chosen row: one span, or what repeated spans share and where they differ. */

import type { Attributes, Finding, Span } from "@faultline/contracts";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { Badge } from "../ui/badge.tsx";
import { Facts } from "../ui/facts.tsx";
import { Icon } from "../ui/icon.tsx";
import { VerdictBadge } from "../ui/verdict.tsx";
import { formatDuration, nanosToMs, plural } from "../util/format.ts";
import { paths } from "../util/paths.ts";
import { attributeText, sharedName, spanStatement } from "../util/span-signature.ts";
import { type TraceRow, type TraceTree, spanEndMicros } from "../util/trace-tree.ts";

/** Values listed of an attribute in which folded spans differ. */
const exampleCountMax = 3;

export function SpanDetails({
  spans,
  tree,
  findings,
}: {
  spans: TraceRow["spans"];
  tree: TraceTree;
  findings: readonly Finding[];
}) {
  const [span] = spans;
  const statement = spanStatement(span);
  return (
    <div className="flex flex-col gap-4 text-sm">
      <div>
        <p className="text-xs text-ink-3">{span.service}</p>
        <h3 className="text-base font-semibold wrap-anywhere">
          {spans.length > 1 && <span className="text-ink-2">{spans.length} × </span>}
          {sharedName(spans)}
        </h3>
      </div>
      {findings.map((finding) => (
        <div
          key={`${finding.contract}${finding.subject.name}`}
          className={`rounded-lg border px-3 py-2 ${finding.verdict === "violated" ? "border-bad/30 bg-bad-soft" : "border-line bg-sunken"}`}
        >
          <p className="mb-1 flex flex-wrap items-center gap-2 text-xs">
            <VerdictBadge verdict={finding.verdict} />
            <span className="font-mono text-ink-2">{finding.contract}</span>
          </p>
          <p className="wrap-anywhere">{finding.title}</p>
        </div>
      ))}
      {spans.length === 1 ? (
        <>
          <SpanFacts span={span} tree={tree} />
          <OperationLink span={span} />
        </>
      ) : (
        <FoldFacts spans={spans} tree={tree} />
      )}
      {statement !== undefined && (
        <Section title="Statement">
          <pre
            tabIndex={0}
            className="overflow-x-auto rounded-lg bg-sunken px-3 py-2 font-mono text-xs leading-5 whitespace-pre-wrap wrap-anywhere"
          >
            {statement}
          </pre>
        </Section>
      )}
      {spans.length === 1 ? <SpanParts span={span} /> : <FoldParts spans={spans} />}
    </div>
  );
}

function SpanFacts({ span, tree }: { span: Span; tree: TraceTree }) {
  return (
    <Facts
      rows={[
        ["Duration", formatDuration(nanosToMs(span.durationNanos))],
        ["Self time", formatDuration(selfTimeMs(span, tree))],
        ["Starts at", `+ ${formatDuration((span.startMicros - tree.startMicros) / 1_000)}`],
        ["Kind", span.kind],
        [
          "Status",
          span.status.code === "error" ? (
            <Badge tone="bad" icon="warning">
              error
            </Badge>
          ) : (
            span.status.code
          ),
        ],
        ...(span.status.message === undefined
          ? []
          : [["Message", span.status.message] satisfies [string, ReactNode]]),
        ["Span", <code className="font-mono text-xs">{span.spanId}</code>],
        ...(span.parentSpanId !== undefined && tree.roots.includes(span)
          ? [["Parent", "not in this trace"] satisfies [string, ReactNode]]
          : []),
      ]}
    />
  );
}

/** The operation of the gateway that the span is, with the way to what it cost. */
function OperationLink({ span }: { span: Span }) {
  const operationId = span.attributes["faultline.operation.id"];
  if (typeof operationId !== "string" || operationId === "") return null;
  return (
    <Link
      {...paths.operation(operationId)}
      className="inline-flex items-center gap-1 text-sm font-medium text-accent hover:underline"
    >
      What this cost
      <Icon name="arrow" className="size-3" />
    </Link>
  );
}

function FoldFacts({ spans, tree }: { spans: readonly Span[]; tree: TraceTree }) {
  const lengths = spans
    .map((span) => nanosToMs(span.durationNanos))
    .sort((one, other) => one - other);
  const busyMs = lengths.reduce((sum, length) => sum + length, 0);
  const start = Math.min(...spans.map((span) => span.startMicros));
  const spreadMs = (Math.max(...spans.map(spanEndMicros)) - start) / 1_000;
  return (
    <Facts
      rows={[
        ["Count", plural(spans.length, "span")],
        ["Time in all", formatDuration(busyMs)],
        ["From first to last", formatDuration(spreadMs)],
        ["Order", busyMs > spreadMs * 1.2 ? "in parallel" : "one after another"],
        ["Median", formatDuration(lengths[Math.floor(lengths.length / 2)] ?? 0)],
        ["Slowest", formatDuration(lengths.at(-1) ?? 0)],
        ["Starts at", `+ ${formatDuration((start - tree.startMicros) / 1_000)}`],
      ]}
    />
  );
}

function SpanParts({ span }: { span: Span }) {
  return (
    <>
      <Section title="Attributes">
        <AttributeList attributes={span.attributes} />
      </Section>
      {span.events.length > 0 && (
        <Section title="Events">
          <ol className="flex flex-col gap-2">
            {span.events.map((event, index) => (
              <li key={index} className="border-l-2 border-line pl-3">
                <p className="font-medium">
                  {event.name}{" "}
                  <span className="text-xs font-normal text-ink-3 tabular">
                    + {formatDuration((event.timeMicros - span.startMicros) / 1_000)}
                  </span>
                </p>
                <AttributeList attributes={event.attributes} />
              </li>
            ))}
          </ol>
        </Section>
      )}
      {span.links.length > 0 && (
        <Section title="Links">
          <ul className="flex flex-col gap-1">
            {span.links.map((link) => (
              <li key={`${link.traceId}${link.spanId}`}>
                <Link
                  {...paths.trace(link.traceId, { span: link.spanId })}
                  className="font-mono text-xs wrap-anywhere text-accent hover:underline"
                >
                  {link.traceId} / {link.spanId}
                </Link>
              </li>
            ))}
          </ul>
        </Section>
      )}
      <details>
        <summary className="text-xs font-semibold text-ink-2 hover:text-ink">
          Resource and scope
        </summary>
        <div className="mt-2">
          <AttributeList
            attributes={{
              ...span.resource,
              "scope.name": span.scope.name,
              ...(span.scope.version === undefined ? {} : { "scope.version": span.scope.version }),
            }}
          />
        </div>
      </details>
    </>
  );
}

function FoldParts({ spans }: { spans: TraceRow["spans"] }) {
  const { shared, differing } = compareAttributes(spans);
  return (
    <>
      {differing.length > 0 && (
        <Section title="They differ in">
          <dl className="flex flex-col gap-1.5 text-xs">
            {differing.map(([name, values]) => (
              <div key={name}>
                <dt className="text-ink-3">{name}</dt>
                <dd className="font-mono wrap-anywhere">
                  {values.slice(0, exampleCountMax).join(", ")}
                  {values.length > exampleCountMax && (
                    <span className="text-ink-3"> and {values.length - exampleCountMax} more</span>
                  )}
                </dd>
              </div>
            ))}
          </dl>
        </Section>
      )}
      <Section title="They share">
        <AttributeList attributes={shared} />
      </Section>
    </>
  );
}

function compareAttributes(spans: readonly Span[]): {
  shared: Attributes;
  differing: [string, string[]][];
} {
  const shared: Attributes = {};
  const differing: [string, string[]][] = [];
  for (const name of new Set(spans.flatMap((span) => Object.keys(span.attributes)))) {
    const values = spans.map((span) => span.attributes[name]);
    const texts = [
      ...new Set(values.map((value) => (value === undefined ? "absent" : attributeText(value)))),
    ];
    const [first] = values;
    if (texts.length === 1 && first !== undefined) shared[name] = first;
    else differing.push([name, texts]);
  }
  return { shared, differing };
}

/** The part of a span in which none of its children ran, whether they ran one after another or at once. */
function selfTimeMs(span: Span, tree: TraceTree): number {
  let reached = span.startMicros;
  let coveredMicros = 0;
  for (const child of tree.childrenOf.get(span.spanId) ?? []) {
    const from = Math.max(child.startMicros, reached);
    const to = Math.min(spanEndMicros(child), spanEndMicros(span));
    if (to <= from) continue;
    coveredMicros += to - from;
    reached = to;
  }
  return Math.max(0, nanosToMs(span.durationNanos) - coveredMicros / 1_000);
}

function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section>
      <h4 className="mb-1.5 text-xs font-semibold text-ink-2">{title}</h4>
      {children}
    </section>
  );
}

function AttributeList({ attributes }: { attributes: Attributes }) {
  const entries = Object.entries(attributes).sort(([one], [other]) => one.localeCompare(other));
  if (entries.length === 0) return <p className="text-xs text-ink-3">None.</p>;
  return (
    <dl className="flex flex-col divide-y divide-line/70 text-xs">
      {entries.map(([name, value]) => (
        <div key={name} className="grid grid-cols-[minmax(0,2fr)_minmax(0,3fr)] gap-2 py-1">
          <dt className="text-ink-3 wrap-anywhere">{name}</dt>
          <dd className="font-mono wrap-anywhere">{attributeText(value)}</dd>
        </div>
      ))}
    </dl>
  );
}
