import { useSearch } from "@tanstack/react-router";
import type { Mission } from "../api/contract.ts";
import { type Listing, missions, newestMissions } from "../data/readings.ts";
import { MissionCells, MissionHead } from "../parts/mission-rows.tsx";
import { ListPage } from "./list-page.tsx";

const VIEWS = [
  ["All", ""],
  ["In flight", "status:pending,running,compensating"],
  ["Needs attention", "status:needs_attention"],
  ["Compensated", "status:compensated"],
  ["Failed", "status:failed"],
] as const;

const ORDERS = [
  ["", "newest first"],
  ["createTime asc", "oldest first"],
  ["startTime desc", "latest started"],
  ["endTime desc", "latest ended"],
] as const;

const COMMAND = "npx orrery mission launch --help";

const LISTING: Listing<"listMissions", Mission> = {
  pages: missions,
  newest: newestMissions,
  rowsOf: (page) => page.missions,
};

/** Missions that fit a query, live. */
export function MissionsPage() {
  const { q = "", orderBy = "" } = useSearch({ from: "/missions" });
  return (
    <ListPage
      name="Missions"
      noun="mission"
      to="/missions"
      asked={{ q, orderBy }}
      listing={LISTING}
      placeholder="status:needs_attention name:order.*"
      views={VIEWS}
      orders={ORDERS}
      command={COMMAND}
      head={<MissionHead />}
      rowClass="mission-row"
      cells={(mission) => <MissionCells mission={mission} />}
    />
  );
}
