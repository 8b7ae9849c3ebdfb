import {
  type Dashboard,
  DashboardBuilder,
  DatasourceVariableBuilder,
  type Panel,
  QueryVariableBuilder,
  RowBuilder,
  VariableRefresh,
  VariableSort,
} from "@grafana/grafana-foundation-sdk/dashboard";
import { DataqueryBuilder } from "@grafana/grafana-foundation-sdk/prometheus";
import * as stat from "@grafana/grafana-foundation-sdk/stat";
import * as timeseries from "@grafana/grafana-foundation-sdk/timeseries";

/** One query of a panel, in PromQL, and what its series are called. */
export interface QueryPlan {
  readonly expr: string;
  readonly legend: string;
}

/** One panel: a question that it answers, and the queries that do. */
export interface PanelPlan {
  readonly title: string;
  /** What a reader learns from it, and what is bad. */
  readonly tells: string;
  /** As Grafana names units, such as `s` or `reqps`. */
  readonly unit: string;
  /** The newest number in large digits, where its course says little. */
  readonly shows?: "course" | "number";
  readonly queries: readonly QueryPlan[];
}

/** Panels side by side, under one heading. */
export interface RowPlan {
  readonly title: string;
  readonly panels: readonly PanelPlan[];
}

/** One dashboard. */
export interface DashboardPlan {
  /** Part of its address: never changes. */
  readonly uid: string;
  readonly title: string;
  readonly tells: string;
  /** What can be chosen at its top: a name, and the PromQL that lists the values. */
  readonly choices: readonly { readonly name: string; readonly values: string }[];
  readonly rows: readonly RowPlan[];
}

/** Columns of Grafana's grid. */
const GRID_COLUMNS = 24;
const PANELS_IN_A_LINE = 4;
const PANEL_ROWS = 7;
/** The data source is chosen on the dashboard, so that it works in any Grafana. */
const DATA_SOURCE = { type: "prometheus", uid: "$datasource" };

/** The dashboard as Grafana imports it. Rows fill the width, four panels in a line at most. */
export function dashboardFrom(plan: DashboardPlan): Dashboard {
  const builder = new DashboardBuilder(plan.title)
    .uid(plan.uid)
    .description(plan.tells)
    .tags(["orrery", "generated"])
    .readonly()
    .timezone("browser")
    .refresh("10s")
    .time({ from: "now-1h", to: "now" })
    .withVariable(new DatasourceVariableBuilder("datasource").label("Data source").type("prometheus"));
  for (const { name, values } of plan.choices) builder.withVariable(choice(name, values));
  let line = 0;
  for (const row of plan.rows) {
    builder.withRow(new RowBuilder(row.title).gridPos({ x: 0, y: line, w: GRID_COLUMNS, h: 1 }));
    line += 1;
    for (const [index, panel] of row.panels.entries()) {
      builder.withPanel(panelFrom(panel, place(index, row.panels.length, line)));
    }
    line += Math.ceil(row.panels.length / PANELS_IN_A_LINE) * PANEL_ROWS;
  }
  return numbered(builder.build());
}

interface Place {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

function place(index: number, panels: number, line: number): Place {
  const lines = Math.ceil(panels / PANELS_IN_A_LINE);
  const inALine = Math.ceil(panels / lines);
  const w = Math.floor(GRID_COLUMNS / inALine);
  return { x: (index % inALine) * w, y: line + Math.floor(index / inALine) * PANEL_ROWS, w, h: PANEL_ROWS };
}

function choice(name: string, values: string): QueryVariableBuilder {
  return new QueryVariableBuilder(name)
    .label(name)
    .query({ query: `label_values(${values})`, refId: name })
    .datasource(DATA_SOURCE)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc)
    .multi(true)
    .includeAll(true)
    .allValue(".+");
}

function panelFrom(plan: PanelPlan, at: Place): stat.PanelBuilder | timeseries.PanelBuilder {
  const builder =
    plan.shows === "number"
      ? new stat.PanelBuilder()
      : new timeseries.PanelBuilder().fillOpacity(8).lineWidth(1);
  builder
    .title(plan.title)
    .description(plan.tells)
    .datasource(DATA_SOURCE)
    .unit(plan.unit)
    .gridPos(at)
    .min(0);
  plan.queries.forEach(({ expr, legend }, index) => {
    const refId = String.fromCharCode("A".charCodeAt(0) + index);
    builder.withTarget(
      new DataqueryBuilder().expr(expr).legendFormat(legend).refId(refId).datasource(DATA_SOURCE),
    );
  });
  return builder;
}

/** Panels are addressed by their number: in order, so that a link to one survives a new generation. */
function numbered(dashboard: Dashboard): Dashboard {
  const panels = (dashboard.panels ?? []).map((panel, index) => ({ ...panel, id: index + 1 }) as Panel);
  return { ...dashboard, panels };
}
