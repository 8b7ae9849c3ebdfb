import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { Answer } from "../api/contract.ts";
import { useSession } from "../app/session.tsx";
import { metrics, overview } from "../data/readings.ts";
import { JOB_STATUSES, lookOf } from "../domain/status-look.ts";
import { AlertLine } from "../parts/alert-line.tsx";
import { JobCells, JobHead } from "../parts/job-rows.tsx";
import { PageHead, Panel } from "../parts/page.tsx";
import { QueueTable } from "../parts/queue-table.tsx";
import { Empty, Freshness, Read } from "../parts/states.tsx";
import { Badge, Mark, Status } from "../parts/status.tsx";
import { When } from "../parts/time.tsx";
import { countOf, countText } from "../words/count-text.ts";
import { FigureTiles } from "./figure-tiles.tsx";

type Overview = Answer<"getOverview">;

/** One look at the whole project: how it stands, what fails, what waits, what is new. */
export function OverviewPage() {
  const { reader } = useSession();
  const glance = useQuery(overview(reader));
  const figures = useQuery(metrics(reader));
  return (
    <>
      <PageHead title="Overview" name="Overview">
        {glance.data && <Freshness {...glance.data} readAtMs={glance.dataUpdatedAt} />}
      </PageHead>
      <Read reading={glance} rows={10}>
        {(data) => (
          <>
            <Health data={data} />
            <Counts data={data} />
            <Read reading={{ ...figures, error: glance.error === null ? figures.error : null }} rows={2}>
              {({ figures: list }) => <FigureTiles figures={list} queues={data.queues} />}
            </Read>
            {data.totalJobs === 0 ? <FirstSteps data={data} /> : <Details data={data} />}
          </>
        )}
      </Read>
    </>
  );
}

function Health({ data }: { data: Overview }) {
  const critical = data.alerts.some(({ severity }) => severity === "CRITICAL");
  const attention = data.attentionMissions.length > 0;
  const good = /^(Healthy|Ready)/.test(data.health);
  const tone = critical ? "bad" : attention || !good || data.alerts.length > 0 ? "warn" : "good";
  return (
    <p className="health" data-tone={tone}>
      <Mark shape={tone === "good" ? "check" : "triangle"} />
      <span>{data.health}</span>
    </p>
  );
}

/** How many jobs are in each status; each number leads to exactly those. */
function Counts({ data }: { data: Overview }) {
  return (
    <ul className="counts" aria-label="Jobs by status">
      {JOB_STATUSES.map((status) => {
        const look = lookOf(status);
        const count = data.jobs[status] ?? 0;
        return (
          <li key={status}>
            <Link
              to="/jobs"
              search={{ q: `status:${status.toLowerCase()}` }}
              data-tone={look.tone}
              data-none={count === 0}
            >
              <span className="counts-number">{countText(count)}</span>
              <span className="counts-word">
                <Mark shape={look.shape} /> {look.word}
              </span>
            </Link>
          </li>
        );
      })}
    </ul>
  );
}

function Details({ data }: { data: Overview }) {
  return (
    <div className="overview-grid">
      <Panel title="Active alerts" aside={<Link to="/alerts">All alerts</Link>}>
        {data.alerts.length === 0 ? (
          <Empty title="No alert is active." />
        ) : (
          <ul className="alert-lines">
            {data.alerts.slice(0, 5).map((alert) => (
              <AlertLine key={alert.id} alert={alert} />
            ))}
          </ul>
        )}
      </Panel>
      <Panel title="Failures" aside={<span className="dim">grouped by task and error</span>}>
        <Failures failures={data.failures} />
      </Panel>
      <Panel title="Queues" aside={<Link to="/queues">All queues</Link>}>
        {data.queues.length === 0 ? (
          <Empty title="No queue has been used yet." />
        ) : (
          <QueueTable queues={data.queues.slice(0, 8)} label="Queues by their longest wait" />
        )}
      </Panel>
      <Panel title="Missions" aside={<Link to="/missions">All missions</Link>}>
        <Missions data={data} />
      </Panel>
      <div className="wide">
        <Panel title="Newest jobs" aside={<Link to="/jobs">All {countText(data.totalJobs)} jobs</Link>}>
          <div role="table" aria-label="Newest jobs" className="rows">
            <div role="rowgroup">
              <JobHead />
            </div>
            <div role="rowgroup">
              {data.recentJobs.map((job) => (
                <div role="row" className="row job-row" data-row key={job.id}>
                  <JobCells job={job} />
                </div>
              ))}
            </div>
          </div>
        </Panel>
      </div>
      <p className="dim wide">
        {countOf(data.workers, "worker")} within the last minute · read model: {data.readModel}
      </p>
    </div>
  );
}

function Failures({ failures }: { failures: Overview["failures"] }) {
  if (failures.length === 0) return <Empty title="No job has failed." />;
  return (
    <table className="plain-table">
      <thead>
        <tr>
          <th scope="col">Task and error</th>
          <th scope="col" className="number">
            Jobs
          </th>
          <th scope="col" className="number">
            Latest
          </th>
        </tr>
      </thead>
      <tbody>
        {failures.map(({ task, errorType, count, lastSeenTime, q }) => (
          <tr key={q}>
            <td>
              <Link to="/jobs" search={{ q }}>
                {task}
              </Link>{" "}
              <span className="error-type">{errorType || "no type"}</span>
            </td>
            <td className="number">{countText(count)}</td>
            <td className="number">
              <When at={lastSeenTime} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** How many missions stand where, and those that cannot go on by themselves. */
function Missions({ data: { missions, attentionMissions } }: { data: Overview }) {
  const counts = Object.entries(missions).filter(([, count]) => count > 0);
  if (counts.length === 0) return <Empty title="No mission has been launched." />;
  return (
    <>
      <ul className="mission-counts">
        {counts.map(([status, count]) => (
          <li key={status}>
            <Link to="/missions" search={{ q: `status:${status.toLowerCase()}` }}>
              <strong>{countText(count)}</strong> <Status of={status} plain />
            </Link>
          </li>
        ))}
      </ul>
      <ul className="alert-lines" aria-label="Missions that need somebody">
        {attentionMissions.slice(0, 5).map(({ id, name, status, error, createTime }) => (
          <li key={id} className="alert-line">
            <Status of={status} />
            <span className="alert-line-text">
              <Link to="/missions/$id" params={{ id }}>
                {name}
              </Link>{" "}
              <span className="dim">
                {error && `${error.step ? `${error.step}: ` : ""}${error.message || error.type}`}
              </span>
            </span>
            <span className="dim number">
              <When at={createTime} />
            </span>
          </li>
        ))}
      </ul>
    </>
  );
}

/** What to type first; each step ticks itself when it has happened. */
function FirstSteps({ data }: { data: Overview }) {
  const steps = [
    { done: data.workers > 0, text: "A worker is there", command: "make run" },
    {
      done: data.totalJobs > 0,
      text: "A job was submitted",
      command: "npx orrery job run orrery.sleep -i '{\"ms\":1500}'",
    },
    { done: (data.jobs.SUCCEEDED ?? 0) > 0, text: "A job is done", command: "npx orrery job ls" },
  ];
  return (
    <Panel title="First steps">
      <ol className="first-steps">
        {steps.map(({ done, text, command }) => (
          <li key={text}>
            <Badge
              look={
                done ? { ...lookOf("SUCCEEDED"), word: text } : { word: text, tone: "waiting", shape: "ring" }
              }
              plain
            />
            <code className="command">{command}</code>
          </li>
        ))}
      </ol>
    </Panel>
  );
}
