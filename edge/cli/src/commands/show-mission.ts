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
  const steps = rowsOf(mission, "steps");
  const forPeople = format === "table" || format === "wide";
  const rows = [forPeople ? { ...mission, steps: undefined } : mission];
  await printOne({ text, rows, columns: MISSION_COLUMNS, name: "id" }, format, terminal);
  if (forPeople) {
    terminal.data("");
    const told = await withReasons(session, steps, flags);
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
    const steps = await withReasons(session, rowsOf(mission, "steps"), flags);
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
 * Steps with what holds the jobs of those that are under way, which a mission does not say. It is an extra: a step
 * whose job cannot be read goes without.
 */
async function withReasons(
  { api }: Session,
  steps: readonly Row[],
  { current = false }: { current?: boolean },
): Promise<readonly Row[]> {
  const jobs = current ? "/v1/jobs" : "/v1/observatory/jobs";
  const told = steps.map(async (step): Promise<Row> => {
    const jobId = jobUnderWay(step);
    if (jobId === "") return step;
    const answer = await api.send("GET", `${jobs}/${encodeURIComponent(jobId)}`).catch(() => undefined);
    return answer === undefined ? step : { ...step, why: whyOf(objectOf(answer.text)) };
  });
  return Promise.all(told);
}

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
