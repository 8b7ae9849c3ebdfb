// The arrows of the floor plan: domain ← application ← adapters ← main inside a service; services and edge → contracts
// and mesh/chassis; nothing → services. Run by `make lint`.
import { Visitor } from "@swc/core/Visitor.js";

// The visitor that dependency-cruiser walks the tree with does not know `using` yet, and stops at the first one.
const visitStatement = Visitor.prototype.visitStatement;
Visitor.prototype.visitStatement = function visitWithUsing(statement) {
  if (statement.type !== "UsingDeclaration") return visitStatement.call(this, statement);
  statement.decls = this.visitVariableDeclarators(statement.decls);
  return statement;
};

const inside = (layer) => `^services/[^/]+/src/${layer}/`;

export default {
  forbidden: [
    {
      name: "no-service-imports-another",
      comment: "Talk to another service through its generated client or its events.",
      severity: "error",
      from: { path: "^services/([^/]+)/" },
      to: { path: "^services/", pathNot: "^services/$1/" },
    },
    {
      name: "nothing-imports-a-service",
      comment: "The edge and the mesh reach a service over the network only.",
      severity: "error",
      from: { path: "^(edge|contracts|mesh)/", pathNot: "^mesh/(chaos|bench)/" },
      to: { path: "^services/" },
    },
    {
      name: "services-import-the-chassis-only",
      comment: "Of the mesh, only the chassis can be imported.",
      severity: "error",
      from: { path: "^(services|edge)/[^/]+/src/" },
      to: { path: "^mesh/", pathNot: "^mesh/chassis/src/" },
    },
    {
      name: "services-do-not-import-the-edge",
      severity: "error",
      from: { path: "^(services|mesh/chassis|contracts)/" },
      to: { path: "^edge/" },
    },
    {
      name: "edge-parts-stand-alone",
      comment: "Only the transcoder is a library; gateway, CLI and page do not import each other.",
      severity: "error",
      from: { path: "^edge/([^/]+)/src/" },
      to: { path: "^edge/", pathNot: ["^edge/$1/", "^edge/transcoder/src/index.ts$"] },
    },
    {
      name: "transcoder-knows-nothing-of-orrery",
      severity: "error",
      from: { path: "^edge/transcoder/src/" },
      to: { path: "^(contracts|mesh|services)/" },
    },
    {
      name: "domain-is-pure",
      comment: "Domain code imports domain code only: no contract, no chassis, no package.",
      severity: "error",
      from: { path: inside("domain") },
      to: { pathNot: inside("domain") },
    },
    {
      name: "application-knows-no-adapter",
      severity: "error",
      from: { path: inside("application") },
      to: { path: inside("adapters") },
    },
    {
      name: "adapters-do-not-call-each-other",
      comment: "An adapter meets another through a port and a use case.",
      severity: "error",
      from: { path: "^services/([^/]+)/src/adapters/([^/]+)/" },
      to: { path: "^services/$1/src/adapters/", pathNot: "^services/$1/src/adapters/$2/" },
    },
    { name: "no-cycle", severity: "error", from: {}, to: { circular: true } },
    { name: "no-unresolvable", severity: "error", from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "contracts/gen" },
    parser: "swc",
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "mesh/tsconfig.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "node", "default"],
      extensions: [".ts", ".js", ".d.ts"],
    },
  },
};
