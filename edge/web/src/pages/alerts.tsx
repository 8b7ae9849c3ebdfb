import { useQuery } from "@tanstack/react-query";
import { Link, useSearch } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import type { Alert } from "../api/contract.ts";
import { useSession } from "../app/session.tsx";
import { alerts, runbook } from "../data/readings.ts";
import { SEVERITY_LOOK } from "../domain/status-look.ts";
import { Markdown } from "../parts/markdown.tsx";
import { Fact, Facts, PageHead } from "../parts/page.tsx";
import { Empty, Freshness, Read } from "../parts/states.tsx";
import { Badge, Status } from "../parts/status.tsx";
import { Tabs } from "../parts/tabs.tsx";
import { Took, When } from "../parts/time.tsx";

const LISTS = [
  ["active", "Active"],
  ["all", "With resolved ones"],
] as const;

/** What needs a person, the worst first, each with what to do about it. */
export function AlertsPage() {
  const { reader } = useSession();
  const { show = "active", open } = useSearch({ from: "/alerts" });
  const reading = useQuery(alerts(reader, show === "all"));
  return (
    <>
      <PageHead title="Alerts" name="Alerts">
        {reading.data && <Freshness {...reading.data} readAtMs={reading.dataUpdatedAt} />}
      </PageHead>
      <Tabs label="Which alerts" param="show" tabs={LISTS} current={show} />
      <Read reading={reading}>
        {({ alerts: list }) =>
          list.length === 0 ? (
            <Empty title={show === "all" ? "There has been no alert." : "No alert is active."}>
              <p className="dim">
                Alerts come from Prometheus: <code>make run OBSERVE=1</code> starts it.
              </p>
            </Empty>
          ) : (
            <ul className="alerts">
              {list.map((alert) => (
                <AlertCard key={alert.id} alert={alert} open={alert.id === open} />
              ))}
            </ul>
          )
        }
      </Read>
    </>
  );
}

function AlertCard({ alert, open }: { alert: Alert; open: boolean }) {
  const card = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (open) card.current?.scrollIntoView({ block: "nearest" });
  }, [open]);
  return (
    <li className="alert" ref={card} data-tone={SEVERITY_LOOK[alert.severity].tone} data-row>
      <div className="alert-head">
        <Badge look={SEVERITY_LOOK[alert.severity]} />
        <h2>
          <Link
            to="/alerts"
            search={(before) => ({ ...before, open: open ? undefined : alert.id })}
            replace
            resetScroll={false}
            aria-expanded={open}
            data-row-link
          >
            {alert.name}
          </Link>
        </h2>
        <Status of={alert.status} plain />
        <span className="dim number">
          since <When at={alert.startTime} />
        </span>
      </div>
      <p>{alert.summary}</p>
      {open && <AlertDetails alert={alert} />}
    </li>
  );
}

function AlertDetails({ alert }: { alert: Alert }) {
  const labels = Object.entries(alert.labels);
  return (
    <>
      {alert.description !== "" && <p className="dim">{alert.description}</p>}
      <Facts>
        <Fact name={alert.endTime === undefined ? "Firing for" : "Fired for"}>
          <Took from={alert.startTime} to={alert.endTime} />
        </Fact>
        {alert.acknowledgedBy !== "" && (
          <Fact name="Taken on by">
            {alert.acknowledgedBy}, <When at={alert.acknowledgeTime} />
          </Fact>
        )}
        {alert.status === "MUTED" && (
          <Fact name="Muted until">
            <When at={alert.muteUntilTime} /> by {alert.mutedBy}
          </Fact>
        )}
        {alert.note !== "" && <Fact name="Note">{alert.note}</Fact>}
        {labels.map(([name, value]) => (
          <Fact key={name} name={name}>
            {value}
          </Fact>
        ))}
      </Facts>
      {alert.runbook !== "" && <Runbook name={alert.runbook} />}
    </>
  );
}

function Runbook({ name }: { name: string }) {
  const { reader } = useSession();
  const reading = useQuery(runbook(reader, name));
  return (
    <section className="runbook" id="runbook" aria-label={`Runbook ${name}`}>
      <p className="runbook-name">
        Runbook <a href={`/runbooks/${encodeURIComponent(name)}`}>{name}</a>
      </p>
      <Read reading={reading}>{(text) => <Markdown text={text} />}</Read>
    </section>
  );
}
