/** The proof: the contract and its control, before and after, and whether *after* covers *before*. */

import type { ContractComparison, Verification } from "@faultline/protocol";

import { Badge } from "../ui/badge.tsx";
import { Time } from "../ui/time.tsx";
import { OutcomeBadge, VerdictBadge } from "../ui/verdict.tsx";

export function Proof({ verification }: { verification: Verification }) {
  return (
    <div className="flex flex-col gap-4 p-4">
      <div className="flex flex-wrap items-center gap-2 text-xs text-ink-3">
        <OutcomeBadge outcome={verification.outcome} />
        <span>
          verified at <Time at={verification.verifiedAt} />
        </span>
      </div>
      <ul className="flex flex-col gap-1 text-sm">
        {verification.reasons.map((reason) => (
          <li key={reason} className="wrap-anywhere">
            {reason}
          </li>
        ))}
      </ul>
      <div
        className="overflow-x-auto rounded-lg border border-line"
        tabIndex={0}
        role="region"
        aria-label="Before and after, a table"
      >
        <table className="w-full min-w-[34rem] border-collapse text-sm">
          <caption className="sr-only">Before and after</caption>
          <thead>
            <tr className="border-b border-line bg-sunken text-left text-xs text-ink-3">
              <th scope="col" className="px-3 py-2 font-medium">
                Contract
              </th>
              <th scope="col" className="px-3 py-2 font-medium">
                Before
              </th>
              <th scope="col" className="px-3 py-2 font-medium">
                After
              </th>
              <th scope="col" className="w-1/2 px-3 py-2 font-medium">
                What was compared
              </th>
            </tr>
          </thead>
          <tbody>
            <ComparisonRow role="Contract of the hypothesis" comparison={verification.contract} />
            <ComparisonRow role="Control, must not change" comparison={verification.control} />
          </tbody>
        </table>
      </div>
      {verification.coverage.length > 0 && (
        <div
          className="overflow-x-auto rounded-lg border border-line"
          tabIndex={0}
          role="region"
          aria-label="Coverage, a table"
        >
          <table className="w-full min-w-[34rem] border-collapse text-sm">
            <caption className="sr-only">Coverage of the after snapshot</caption>
            <thead>
              <tr className="border-b border-line bg-sunken text-left text-xs text-ink-3">
                <th scope="col" className="px-3 py-2 font-medium">
                  Does after cover before?
                </th>
                <th scope="col" className="px-3 py-2 font-medium">
                  Expected
                </th>
                <th scope="col" className="px-3 py-2 font-medium">
                  Actual
                </th>
                <th scope="col" className="px-3 py-2 font-medium">
                  Met
                </th>
              </tr>
            </thead>
            <tbody>
              {verification.coverage.map((condition) => (
                <tr
                  key={condition.name}
                  className="border-b border-line/60 align-top last:border-0"
                >
                  <th scope="row" className="px-3 py-2 text-left font-normal wrap-anywhere">
                    {condition.name}
                  </th>
                  <td className="px-3 py-2 wrap-anywhere text-ink-2">{condition.expected}</td>
                  <td className="px-3 py-2 wrap-anywhere">{condition.actual}</td>
                  <td className="px-3 py-2">
                    <Badge
                      tone={condition.met ? "good" : "warn"}
                      icon={condition.met ? "check" : "cross"}
                    >
                      {condition.met ? "met" : "not met"}
                    </Badge>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </div>
  );
}

function ComparisonRow({ role, comparison }: { role: string; comparison: ContractComparison }) {
  return (
    <tr className="border-b border-line/60 align-top last:border-0">
      <th scope="row" className="px-3 py-2 text-left font-normal">
        <p className="text-xs text-ink-3">{role}</p>
        <p className="font-mono text-xs">{comparison.contract}</p>
      </th>
      <td className="px-3 py-2">
        <VerdictBadge verdict={comparison.before} />
      </td>
      <td className="px-3 py-2">
        <VerdictBadge verdict={comparison.after} />
      </td>
      <td className="px-3 py-2 wrap-anywhere text-ink-2">{comparison.summary}</td>
    </tr>
  );
}
