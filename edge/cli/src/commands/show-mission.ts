import { EXIT, type ExitCode } from "../exit-code.ts";
import { MISSION_COLUMNS, STEP_COLUMNS, textOf } from "../output/columns.ts";
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
    await printList({ text, rows: steps, columns: STEP_COLUMNS, name: "name" }, format, terminal);
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
    for (const line of missionGraph(mission, terminal.paint)) terminal.data(line);
    return EXIT.done;
  }
  await printList({ text, rows: [mission], columns: MISSION_COLUMNS, name: "id" }, format, terminal);
  return EXIT.done;
}

/** `mission events`: a mission's history, by version. */
export const listMissionEvents = (session: Session, id: string): Promise<ExitCode> =>
  listHistory(session, { path: readPath(id), id });

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
