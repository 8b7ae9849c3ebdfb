import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parse } from "yaml";

const FOLDER = resolve(import.meta.dirname, "..");

/** A rule that raises an alert, as Prometheus reads it. */
export interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** One case of promtool: what an alert does at a time. */
export interface RuleCase {
  readonly name: string;
  readonly alertname: string;
  readonly fires: boolean;
}

interface RuleFile {
  readonly groups: readonly {
    readonly rules: readonly (AlertRule | { readonly record: string; readonly expr: string })[];
  }[];
}

interface CaseFile {
  readonly tests: readonly {
    readonly name: string;
    readonly alert_rule_test: readonly {
      readonly alertname: string;
      readonly exp_alerts?: readonly unknown[];
    }[];
  }[];
}

/** Every rule of every file. */
export function allRules(): RuleFile["groups"][number]["rules"] {
  return yamlFilesOf("rules").flatMap((path) => {
    const file = parse(readFileSync(path, "utf8")) as RuleFile;
    return file.groups.flatMap(({ rules }) => rules);
  });
}

/** Every rule that raises an alert. */
export function alertRules(): readonly AlertRule[] {
  return allRules().filter((rule): rule is AlertRule => "alert" in rule);
}

/** Every case of promtool. */
export function ruleCases(): readonly RuleCase[] {
  return yamlFilesOf("test/rules").flatMap((path) => {
    const file = parse(readFileSync(path, "utf8")) as CaseFile;
    return file.tests.flatMap(({ name, alert_rule_test: cases }) =>
      cases.map(({ alertname, exp_alerts = [] }) => ({ name, alertname, fires: exp_alerts.length > 0 })),
    );
  });
}

/** The paths of the YAML files of a folder. */
export function yamlFilesOf(folder: string): readonly string[] {
  return readdirSync(join(FOLDER, folder))
    .filter((name) => name.endsWith(".yaml"))
    .sort()
    .map((name) => join(FOLDER, folder, name));
}

/** The runbooks, by name. */
export function runbooks(): ReadonlyMap<string, string> {
  const folder = join(FOLDER, "runbooks");
  return new Map(
    readdirSync(folder).map((name) => [name.replace(/\.md$/, ""), readFileSync(join(folder, name), "utf8")]),
  );
}
