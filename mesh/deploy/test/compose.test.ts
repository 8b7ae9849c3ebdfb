import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { WORKLOADS } from "@orrery/mesh/topology";
import Ajv from "ajv";
import addFormats from "ajv-formats";
import { parse } from "yaml";
import { DEPLOY } from "./resources.ts";

interface Service {
  readonly image: string;
  readonly user?: string;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly mem_limit?: string;
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly networks?: Readonly<Record<string, { readonly aliases?: readonly string[] }>>;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: object;
  readonly volumes?: readonly {
    readonly type: string;
    readonly source: string;
    readonly volume?: { subpath: string };
  }[];
}

const folder = join(DEPLOY, "compose");
const compose = parse(readFileSync(join(folder, "compose.yaml"), "utf8")) as {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, object>>;
};
const services = Object.entries(compose.services);

const ajv = new Ajv.default({ strict: false, allErrors: true });
addFormats.default(ajv);
const schema = JSON.parse(readFileSync(join(DEPLOY, "schemas/compose.gen.json"), "utf8")) as object;
const validate = ajv.compile(schema);

const problems = (file: unknown): readonly string[] =>
  validate(file)
    ? []
    : (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);

describe("one host", () => {
  test("is what the Compose Specification allows", () => {
    expect(problems(compose)).toEqual([]);
  });

  test("is held to it: a word that is misspelt is found", () => {
    const misspelt = structuredClone(compose) as unknown as {
      services: Record<string, Record<string, unknown>>;
    };
    Object.assign(misspelt.services.jobs ?? {}, { mem_limits: "1g" });
    expect(problems(misspelt)).not.toEqual([]);
  });

  test("has every process of the topology, the servers, and the administrators' pages", () => {
    const names = services.map(([name]) => name);
    const pages = ["grafana", "prometheus", "alertmanager", "pgadmin", "kibana"];
    const stores = ["postgres", "nats", "elasticsearch"];
    const migrations = WORKLOADS.filter(({ database }) => database !== null).map(
      ({ name }) => `${name}-migrations`,
    );
    const wanted = [...WORKLOADS.map(({ name }) => name), ...migrations, ...stores, ...pages, "keeper"];
    expect(names.sort()).toEqual(wanted.sort());
  });

  test("gives no container a right that it does not need", () => {
    const loose = services.flatMap(([name, { cap_drop = [], security_opt = [], mem_limit, image }]) => [
      ...(cap_drop.includes("ALL") && security_opt.includes("no-new-privileges:true")
        ? []
        : [`${name} has rights`]),
      ...(mem_limit === undefined ? [`${name} has no limit of memory`] : []),
      ...(/:v?\d+\.\d+/.test(image) ? [] : [`${name} runs ${image}`]),
    ]);
    expect(loose).toEqual([]);
    const writing = services.filter(([, { read_only }]) => read_only !== true).map(([name]) => name);
    expect(writing.sort()).toEqual(["elasticsearch", "kibana", "pgadmin"]);
    const asRoot = services.filter(([, { user }]) => user?.startsWith("0")).map(([name]) => name);
    expect(asRoot).toEqual(["keeper"]);
  });

  test("shows nothing to other machines, and no store at all", () => {
    const shown = services.flatMap(([name, { ports = [] }]) => ports.map((port) => `${name} ${port}`));
    expect(shown.filter((port) => !/ 127\.0\.0\.1:\d+:\d+$/.test(port))).toEqual([]);
    expect(shown.filter((port) => /:(5432|4222|9200)$/.test(port))).toEqual([]);
    const leadsOut = services.filter(([, { networks = {} }]) => "outside" in networks).map(([name]) => name);
    expect(leadsOut).not.toContain("postgres");
    expect(leadsOut).not.toContain("elasticsearch");
    expect(leadsOut).toEqual(expect.arrayContaining(["gateway", "worker"]));
  });

  test("gives each container the leaf of its own name, and no other", () => {
    const leaves = services.flatMap(([name, { volumes = [] }]) =>
      volumes.flatMap(({ source, volume }) =>
        source === "identities" && volume ? [[name, volume.subpath]] : [],
      ),
    );
    const expected = (name: string): string => {
      const database = WORKLOADS.find((workload) => `${workload.name}-migrations` === name)?.database;
      return name === "pgadmin" ? "auditor" : (database?.ownerRole ?? name);
    };
    expect(leaves).toEqual(leaves.map(([name = ""]) => [name, expected(name)]));
    expect(leaves.length).toBe(WORKLOADS.length + 3 + 5);
  });

  test("calls each container by the name in its certificate", () => {
    const aliases = new Set(services.flatMap(([, { networks = {} }]) => networks.inside?.aliases ?? []));
    const called = services
      .flatMap(([, { environment = {} }]) => Object.values(environment))
      .flatMap(
        (value) => value.match(/[a-z-]+\.orrery\.serviceaccount\.identity\.linkerd\.cluster\.local/g) ?? [],
      );
    expect([...new Set(called)].filter((host) => !aliases.has(host))).toEqual([]);
  });

  test("waits only for what is there, and for health only where it is asked after", () => {
    const wrong = services.flatMap(([name, { depends_on = {} }]) =>
      Object.entries(depends_on).flatMap(([other, { condition }]) => {
        const target = compose.services[other];
        if (target === undefined) return [`${name} waits for ${other}`];
        return condition === "service_healthy" && target.healthcheck === undefined
          ? [`${other} tells no health`]
          : [];
      }),
    );
    expect(wrong).toEqual([]);
  });

  test("mounts and builds what the repository has", () => {
    const absent = services.flatMap(([name, { volumes = [], build }]) => [
      ...volumes
        .filter(({ type, source }) =>
          type === "bind" ? !existsSync(join(folder, source)) : !(source in compose.volumes),
        )
        .map(({ source }) => `${name}: ${source}`),
      ...(build === undefined || existsSync(join(folder, build.context, build.dockerfile))
        ? []
        : [`${name}: build`]),
    ]);
    expect(absent).toEqual([]);
  });

  test("tells no container a secret", () => {
    const told = services.flatMap(([name, { environment = {} }]) =>
      Object.keys(environment)
        .filter((variable) => /PASSWORD|TOKEN|SECRET/.test(variable) && !/_FILE$|_REQUIRED$/.test(variable))
        .map((variable) => `${name}: ${variable}`),
    );
    expect(told).toEqual([]);
  });
});
