import type { Api } from "../api.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { MISSION_COLUMNS, STEP_COLUMNS, textOf, whyOf } from "../output/columns.ts";
import { missionGraph } from "../output/mission-graph.ts";
import { printList, printOne } from "../output/printer.ts";
import type { Row } from "../output/table.ts";
import { objectOf, rowsOf, type Session } from "../session.ts";
import { type ListFlags, listPaged } from "./paged-list.ts";
import { readSoon } from "./read-soon.ts";
import { listHistory } from "./show-job.ts";

const READ = "/v1/observatory/missions";
/** The most jobs that the edge lists at once; a mission has at most 64 steps, and one job under way for each. */
const WAITING_LIMIT = 100;
const readPath = (id: string): string => `${READ}/${encodeURIComponent(id)}`;

/** `mission ls`: searches the project's missions. */
export const listMissions = (session: Session, flags: ListFlags): Promise<ExitCode> =>
  listPaged(session, { path: READ, field: "missions", noun: "mission", columns: MISSION_COLUMNS }, flags);

/** `mission get`: one mission, and beneath it its steps. */
export async function showMission(
  session: Session,
  id: string,
  flags: { current?: boolean },
): Promise<ExitCode> {
  const { format, terminal } = session;
  const { text, mission } = await readMission(session, id, flags);
  const forPeople = format === "table" || format === "wide";
  const rows = [forPeople ? { ...mission, steps: undefined } : mission];
  await printOne({ text, rows, columns: MISSION_COLUMNS, name: "id" }, format, terminal);
  if (forPeople) {
    terminal.data("");
    const told = await withReasons(session, mission, flags);
    // What to do stands at the end of a reason: it goes on in the next line rather than being cut.
    const uncut = { ...terminal, columns: undefined };
    await printList({ text, rows: told, columns: STEP_COLUMNS, name: "name" }, format, uncut);
  }
  return EXIT.done;
}

/** `mission graph`: its steps from left to right, and the way back beneath. */
export async function drawMission(
  session: Session,
  id: string,
  flags: { current?: boolean },
): Promise<ExitCode> {
  const { format, terminal } = session;
  const { text, mission } = await readMission(session, id, flags);
  if (format === "table" || format === "wide") {
    const steps = await withReasons(session, mission, flags);
    for (const line of missionGraph({ ...mission, steps }, terminal.paint)) terminal.data(line);
    return EXIT.done;
  }
  await printList({ text, rows: [mission], columns: MISSION_COLUMNS, name: "id" }, format, terminal);
  return EXIT.done;
}

/** `mission events`: a mission's history, by version. */
export const listMissionEvents = (session: Session, id: string): Promise<ExitCode> =>
  listHistory(session, { path: readPath(id), id });

/**
 * Its steps with what holds the jobs of those that are under way, which a mission does not say. It is an extra: where
 * it cannot be read, the steps go without.
 */
async function withReasons(
  { api, terminal }: Session,
  mission: Row,
  { current = false }: { current?: boolean },
): Promise<readonly Row[]> {
  const steps = rowsOf(mission, "steps");
  const underWay = steps.map(jobUnderWay).filter((id) => id !== "");
  if (underWay.length === 0) return steps;
  const reading = current ? jobsOf(api, underWay) : waitingJobs(api, textOf(mission.id));
  const jobs = await reading.catch((error: Error): readonly Row[] => {
    terminal.talk(`what holds its steps cannot be read: ${error.message}`);
    return [];
  });
  const reasons = new Map(jobs.map((job) => [textOf(job.id), whyOf(job)]));
  return steps.map((step) => ({ ...step, why: reasons.get(jobUnderWay(step)) }));
}

async function waitingJobs(api: Api, missionId: string): Promise<readonly Row[]> {
  const query = { q: `mission:${missionId} status:queued,retrying`, pageSize: WAITING_LIMIT };
  return rowsOf(objectOf((await api.send("GET", "/v1/jobs", { query })).text), "jobs");
}

/** Jobs from the store, which lists none. */
const jobsOf = (api: Api, ids: readonly string[]): Promise<readonly Row[]> =>
  Promise.all(
    ids.map(async (id) => objectOf((await api.send("GET", `/v1/jobs/${encodeURIComponent(id)}`)).text)),
  );

function jobUnderWay({ status, jobId, undoJobId }: Row): string {
  if (status === "RUNNING") return textOf(jobId);
  return status === "UNDOING" ? textOf(undoJobId) : "";
}

async function readMission(
  { api }: Session,
  id: string,
  { current = false }: { current?: boolean },
): Promise<{ text: string; mission: Row }> {
  const path = readPath(id);
  const { text } = current
    ? await api.send("GET", `/v1/missions/${encodeURIComponent(id)}`)
    : await readSoon(api, { path, id }, path);
  const mission = objectOf(text);
  return { text, mission: { ...mission, id: textOf(mission.id) } };
}
