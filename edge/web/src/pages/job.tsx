import { useQuery } from "@tanstack/react-query";
import { Link, useParams, useSearch } from "@tanstack/react-router";
import type { Job } from "../api/contract.ts";
import { useSession } from "../app/session.tsx";
import { attempts, jobEvents, job as jobReading, jobTrace } from "../data/readings.ts";
import { quoted } from "../domain/query-terms.ts";
import { whyOfJob } from "../domain/why-line.ts";
import { AttemptTimelineView } from "../parts/attempt-timeline.tsx";
import { Copy } from "../parts/copy.tsx";
import { EventList } from "../parts/event-list.tsx";
import { JsonTree } from "../parts/json-tree.tsx";
import { Labels } from "../parts/labels.tsx";
import { Fact, Facts, PageHead, Panel } from "../parts/page.tsx";
import { Empty, Read, Skeleton } from "../parts/states.tsx";
import { Status } from "../parts/status.tsx";
import { Tabs } from "../parts/tabs.tsx";
import { Took, When } from "../parts/time.tsx";
import { TraceView } from "../parts/trace-view.tsx";
import { WhyLine } from "../parts/why.tsx";

const TABS = [
  ["timeline", "Timeline"],
  ["data", "Input and output"],
  ["trace", "Trace"],
] as const;

/** One job: where it stands and why, what was tried, what happened, what went in and came out. */
export function JobPage() {
  const { reader } = useSession();
  const { id } = useParams({ from: "/jobs/$id" });
  const { tab = "timeline" } = useSearch({ from: "/jobs/$id" });
  const reading = useQuery(jobReading(reader, id));
  const title = reading.data?.task ?? "Job";
  return (
    <>
      <PageHead title={title} name={`${title} ${id.slice(-6)}`}>
        {reading.data && <Status of={reading.data.status} />}
        <span className="id">
          <code>{id}</code> <Copy text={id} label="the id" />
        </span>
      </PageHead>
      <Read reading={reading} rows={8}>
        {(job) => (
          <>
            <WhyLine why={whyOfJob(job)} />
            <JobFacts job={job} />
            <Tabs label="Views of the job" param="tab" tabs={TABS} current={tab} />
            <JobTab job={job} tab={tab} />
          </>
        )}
      </Read>
    </>
  );
}

function JobFacts({ job }: { job: Job }) {
  return (
    <Facts>
      <Fact name="Queue">
        <Link to="/jobs" search={{ q: `queue:${quoted(job.queue)}` }}>
          {job.queue}
        </Link>
      </Fact>
      <Fact name="Attempts">
        <span className="number">
          {job.attempt} of {job.maxAttempts}
        </span>
      </Fact>
      <Fact name="Priority">
        <span className="number">{job.priority}</span>
      </Fact>
      <Fact name="Submitted">
        <When at={job.createTime} />
      </Fact>
      <Fact name="Started">
        <When at={job.startTime} absent="not yet" />
      </Fact>
      <Fact name={job.endTime === undefined ? "Open for" : "From submission to end"}>
        <Took from={job.createTime} to={job.endTime} />
      </Fact>
      {job.missionId !== "" && (
        <Fact name="Step of a mission">
          <Link to="/missions/$id" params={{ id: job.missionId }} search={{ step: job.step }}>
            {job.step}
          </Link>
        </Fact>
      )}
      {job.expireTime !== undefined && (
        <Fact name="Expires">
          <When at={job.expireTime} />
        </Fact>
      )}
      <Fact name="Labels">
        <Labels labels={job.labels} to="/jobs" />
      </Fact>
    </Facts>
  );
}

function JobTab({ job, tab }: { job: Job; tab: (typeof TABS)[number][0] }) {
  switch (tab) {
    case "timeline":
      return (
        <div className="stack">
          <Timeline job={job} />
          <Events id={job.id} />
        </div>
      );
    case "data":
      return <Payloads job={job} />;
    case "trace":
      return <Trace id={job.id} />;
  }
}

function Timeline({ job }: { job: Job }) {
  const { reader } = useSession();
  const reading = useQuery(attempts(reader, job.id));
  return (
    <Panel title="Attempts" aside={<span className="dim">waiting apart from running</span>}>
      <Read reading={reading} rows={3}>
        {({ attempts: list }) => <AttemptTimelineView job={job} attempts={list} />}
      </Read>
    </Panel>
  );
}

function Events({ id }: { id: string }) {
  const { reader } = useSession();
  const reading = useQuery(jobEvents(reader, id));
  return (
    <Panel title="Events" aside={<span className="dim">one for each version, in order</span>}>
      <Read reading={reading} rows={4}>
        {({ events }) => <EventList events={events} />}
      </Read>
    </Panel>
  );
}

function Payloads({ job }: { job: Job }) {
  return (
    <div className="two-columns">
      <Panel title="Input">
        {job.input === undefined ? (
          <Empty title="The job has no input." />
        ) : (
          <JsonTree value={job.input} name="the input" />
        )}
      </Panel>
      <Panel title={job.error === undefined ? "Output" : "Error"}>
        {job.error !== undefined && (
          <div className="error-box">
            <p>
              <strong>{job.error.type || "no type"}</strong>{" "}
              {job.error.retryable === false && <span className="dim">not retryable</span>}
            </p>
            <pre>{job.error.message}</pre>
          </div>
        )}
        {job.output !== undefined && <JsonTree value={job.output} name="the output" />}
        {job.output === undefined && job.error === undefined && <Empty title="There is no output (yet)." />}
      </Panel>
    </div>
  );
}

function Trace({ id }: { id: string }) {
  const { reader } = useSession();
  const reading = useQuery(jobTrace(reader, id));
  if (reading.isPending) return <Skeleton />;
  return (
    <Panel title="Trace" aside={<span className="dim">from the request to the projection</span>}>
      <Read reading={reading}>{(trace) => <TraceView {...trace} />}</Read>
    </Panel>
  );
}
