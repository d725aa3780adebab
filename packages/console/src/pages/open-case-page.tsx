/** `/cases/new`: opens a case. */

import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";

import { useRefusal } from "../api/permission.ts";
import { servicesQuery } from "../api/queries.ts";
import { SendTelemetry } from "../components/send-telemetry.tsx";
import { OpenCaseForm } from "../forms/open-case-form.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { Page } from "../ui/page.tsx";
import { Panel } from "../ui/panel.tsx";
import { QueryView } from "../ui/query-view.tsx";
import { paths } from "../util/paths.ts";

export function OpenCasePage({ start }: { start: { service?: string; operation?: string } }) {
  const navigate = useNavigate();
  const services = useQuery(servicesQuery);
  const refusal = useRefusal("case:write");
  return (
    <div className="mx-auto max-w-3xl">
      <Page
        eyebrow={
          <Link {...paths.cases()} className="hover:text-ink hover:underline">
            Cases
          </Link>
        }
        title="Open a case"
        lead="Faultline takes the slow and failed traces of the subject and a baseline, freezes them, and runs every contract that they concern."
      >
        <Panel title="Symptom and subject">
          <QueryView query={services} loadingLabel="Loading the services">
            {(list) =>
              list.services.length === 0 && start.service === undefined ? (
                <EmptyState icon="service" title="No service has sent spans yet">
                  <p>A case needs evidence. Send some first.</p>
                  <SendTelemetry />
                </EmptyState>
              ) : (
                <OpenCaseForm
                  services={list.services}
                  start={start}
                  disabledReason={refusal}
                  onOpened={(number) => void navigate(paths.case(number))}
                />
              )
            }
          </QueryView>
        </Panel>
      </Page>
    </div>
  );
}
