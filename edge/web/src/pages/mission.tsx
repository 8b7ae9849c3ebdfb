import { useQuery } from "@tanstack/react-query";
import { Link, useParams, useSearch } from "@tanstack/react-router";
import type { Mission } from "../api/contract.ts";
import { useSession } from "../app/session.tsx";
import { missionEvents, mission as missionReading, missionTrace, waitingJobs } from "../data/readings.ts";
import { undoLook } from "../domain/mission-layout.ts";
import { whyOfMission } from "../domain/why-line.ts";
import { Copy } from "../parts/copy.tsx";
import { EventList } from "../parts/event-list.tsx";
import { JsonTree } from "../parts/json-tree.tsx";
import { Labels } from "../parts/labels.tsx";
import { MissionGraph } from "../parts/mission-graph.tsx";
import { Fact, Facts, PageHead, Panel } from "../parts/page.tsx";
import { Empty, Read } from "../parts/states.tsx";
import { Badge, Status } from "../parts/status.tsx";
import { StepTable } from "../parts/step-table.tsx";
import { Tabs } from "../parts/tabs.tsx";
import { Took, When } from "../parts/time.tsx";
import { TraceView } from "../parts/trace-view.tsx";
import { WhyLine } from "../parts/why.tsx";

const VIEWS = [
  ["graph", "Graph"],
  ["table", "Table"],
  ["events", "Events"],
  ["data", "Input"],
  ["trace", "Trace"],
] as const;

/** One mission: its whole shape, where it stands, and the way back. */
export function MissionPage() {
  const { reader } = useSession();
  const { id } = useParams({ from: "/missions/$id" });
  const { view = "graph" } = useSearch({ from: "/missions/$id" });
  const reading = useQuery(missionReading(reader, id));
  const title = reading.data?.name ?? "Mission";
  return (
    <>
      <PageHead title={title} name={`${title} ${id.slice(-6)}`}>
        {reading.data && <Status of={reading.data.status} />}
        <span className="id">
          <code>{id}</code> <Copy text={id} label="the id" />
        </span>
      </PageHead>
      <Read reading={reading} rows={8}>
        {(mission) => (
          <>
            <MissionWhy mission={mission} />
            <MissionFacts mission={mission} />
            <Tabs label="Views of the mission" param="view" tabs={VIEWS} current={view} />
            <MissionView mission={mission} view={view} />
          </>
        )}
      </Read>
    </>
  );
}

/** A mission that is under way is held by what holds its jobs. */
function MissionWhy({ mission }: { mission: Mission }) {
  const { reader } = useSession();
  const enabled = mission.status === "RUNNING" || mission.status === "COMPENSATING";
  const { data } = useQuery({ ...waitingJobs(reader, mission.id), enabled });
  return <WhyLine why={whyOfMission(mission, enabled ? data?.jobs : [])} />;
}

function MissionFacts({ mission }: { mission: Mission }) {
  const done = mission.steps.filter(({ status }) => status === "SUCCEEDED").length;
  const undone = mission.steps.filter(({ status }) => status === "UNDONE").length;
  return (
    <Facts>
      <Fact name="Steps">
        <span className="number">
          {done} of {mission.steps.length} done{undone > 0 && `, ${undone} undone`}
        </span>
      </Fact>
      <Fact name="Launched">
        <When at={mission.createTime} />
      </Fact>
      <Fact name="Started">
        <When at={mission.startTime} absent="not yet" />
      </Fact>
      <Fact name={mission.endTime === undefined ? "Open for" : "From launch to end"}>
        <Took from={mission.createTime} to={mission.endTime} />
      </Fact>
      <Fact name="Jobs">
        <Link to="/jobs" search={{ q: `mission:${mission.id}` }}>
          all of its jobs
        </Link>
      </Fact>
      <Fact name="Labels">
        <Labels labels={mission.labels} to="/missions" />
      </Fact>
    </Facts>
  );
}

function MissionView({ mission, view }: { mission: Mission; view: (typeof VIEWS)[number][0] }) {
  switch (view) {
    case "graph":
      return <GraphView mission={mission} />;
    case "table":
      return (
        <Panel title="Steps">
          <StepTable mission={mission} />
        </Panel>
      );
    case "events":
      return <Events id={mission.id} />;
    case "data":
      return (
        <Panel title="Input">
          {mission.input === undefined ? (
            <Empty title="The mission has no input." />
          ) : (
            <JsonTree value={mission.input} name="the input" />
          )}
        </Panel>
      );
    case "trace":
      return <Trace id={mission.id} />;
  }
}

/** The graph, and beside it the step that was chosen in it. Where there is no room for a graph, the table. */
function GraphView({ mission }: { mission: Mission }) {
  const { step: chosen } = useSearch({ from: "/missions/$id" });
  return (
    <>
      <div className="only-wide">
        <MissionGraph mission={mission} chosen={chosen} />
        <StepPanel mission={mission} name={chosen} />
      </div>
      <div className="only-narrow">
        <Panel title="Steps">
          <StepTable mission={mission} />
        </Panel>
      </div>
    </>
  );
}

function StepPanel({ mission, name }: { mission: Mission; name: string | undefined }) {
  const step = mission.steps.find((one) => one.name === name);
  if (step === undefined) return <p className="dim">Choose a step to see what it does and what undoes it.</p>;
  return (
    <Panel title={`Step ${step.name}`} aside={<Status of={step.status} />}>
      {step.error && (
        <p className="attempt-error">
          <strong>{step.error.type}</strong> {step.error.message}
        </p>
      )}
      <Facts>
        <Fact name="Task">{step.task}</Fact>
        <Fact name="Queue">{step.queue}</Fact>
        <Fact name="After">{step.after.join(", ") || "the launch"}</Fact>
        <Fact name="Took">
          <Took from={step.startTime} to={step.endTime} />
        </Fact>
        <Fact name="Job">
          {step.jobId === "" ? (
            <span className="dim">not begun</span>
          ) : (
            <Link to="/jobs/$id" params={{ id: step.jobId }}>
              open its job
            </Link>
          )}
        </Fact>
        <Fact name="Undo">
          {step.undoTask === "" ? (
            <span className="dim">{step.noUndo ? "needs none" : "has none"}</span>
          ) : (
            <>
              {step.undoTask} <Badge look={undoLook(mission, step)} plain />
            </>
          )}
        </Fact>
        {step.undoJobId !== "" && (
          <Fact name="Undo job">
            <Link to="/jobs/$id" params={{ id: step.undoJobId }}>
              open its job
            </Link>
          </Fact>
        )}
        {step.undoUnknownTask !== "" && (
          <Fact name="Where its outcome is unknown">{step.undoUnknownTask}</Fact>
        )}
      </Facts>
    </Panel>
  );
}

function Events({ id }: { id: string }) {
  const { reader } = useSession();
  const reading = useQuery(missionEvents(reader, id));
  return (
    <Panel title="Events" aside={<span className="dim">one for each version, in order</span>}>
      <Read reading={reading} rows={4}>
        {({ events }) => <EventList events={events} />}
      </Read>
    </Panel>
  );
}

function Trace({ id }: { id: string }) {
  const { reader } = useSession();
  const reading = useQuery(missionTrace(reader, id));
  return (
    <Panel title="Trace" aside={<span className="dim">with those of its jobs</span>}>
      <Read reading={reading}>{(trace) => <TraceView {...trace} />}</Read>
    </Panel>
  );
}
