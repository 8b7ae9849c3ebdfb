// Holds a read model against the naive evaluator, at any size:
//   node services/observatory/test/compare.ts --documents 20000 --queries 2000 --seed 1
// Missions instead of jobs with --kind mission.
// With --elasticsearch http://127.0.0.1:9200 the real one, otherwise the embedded one.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { openElasticReadModel } from "../src/adapters/elasticsearch/elastic-read-model.ts";
import { openEmbeddedReadModel } from "../src/adapters/embedded/embedded-read-model.ts";
import { compareWithNaive } from "./read-model-comparison.ts";

const { values } = parseArgs({
  options: {
    documents: { type: "string", default: "20000" },
    queries: { type: "string", default: "2000" },
    seed: { type: "string", default: "1" },
    page: { type: "string", default: "5000" },
    kind: { type: "string", default: "job" },
    elasticsearch: { type: "string" },
  },
});

const folder = mkdtempSync(join(tmpdir(), "orrery-compare-"));
const readModel =
  values.elasticsearch === undefined
    ? openEmbeddedReadModel({ folder })
    : openElasticReadModel({ urls: [values.elasticsearch], prefix: `compare-${process.pid}` });
try {
  const beganMs = performance.now();
  const result = await compareWithNaive(readModel, {
    kind: values.kind === "mission" ? "mission" : "job",
    documents: Number(values.documents),
    queries: Number(values.queries),
    seed: Number(values.seed),
    page: Number(values.page),
  });
  for (const difference of result.differences.slice(0, 20)) console.log(`differs: ${difference}`);
  const seconds = ((performance.now() - beganMs) / 1_000).toFixed(1);
  console.log(
    `${readModel.name}: ${values.documents} documents (${values.kind}), ` +
      `${result.compared} queries (seed ${values.seed}), ` +
      `${result.found} ids, ${result.empty} empty answers, ` +
      `${result.differences.length} differences, ${seconds} s`,
  );
  process.exitCode = result.differences.length === 0 ? 0 : 1;
  if (readModel.name === "elasticsearch") await readModel.reset();
} finally {
  await readModel.close();
  rmSync(folder, { recursive: true, force: true });
}
